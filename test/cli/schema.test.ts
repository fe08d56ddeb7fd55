import { existsSync, mkdirSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { modeline } from '../../src/policy/published.js';
import { removeAll, stage } from './session.js';

afterAll(removeAll);

describe('the JSON Schemas of a workspace', () => {
  it.each(['policy', 'book'] as const)('%s: init writes what the verb prints, where a modeline looks', async (kind) => {
    const s = await stage({ until: 'init' });
    const { stdout } = await s.expect(0, kind, 'schema');
    const [, path = ''] = modeline(kind).split('$schema=');
    expect(s.read(path)).toBe(stdout);
    const { schema, exit, json_schema, ...rest } = await s.json(0, kind, 'schema');
    expect({ schema, exit, rest }).toEqual({ schema: `countersign.${kind}-schema/1`, exit: 0, rest: {} });
    expect(json_schema).toEqual(JSON.parse(stdout));
    expect(json_schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
  });

  it('policy schema --case prints that of cases, which init writes too', async () => {
    const s = await stage({ until: 'init' });
    const { stdout } = await s.expect(0, 'policy', 'schema', '--case');
    expect(s.read(modeline('case').split('$schema=')[1] ?? '')).toBe(stdout);
    expect(JSON.parse(stdout).title).toBe('countersign.case/1');
    expect((await s.json(0, 'policy', 'schema', '--case')).json_schema).toEqual(JSON.parse(stdout));
  });

  it('are printed without a workspace', async () => {
    const s = await stage({ until: 'nothing' });
    await s.expect(0, 'policy', 'schema');
    expect(existsSync(s.path('countersign.yaml'))).toBe(false);
  });

  it('init takes the same file as done, and makes nothing beside another one', async () => {
    const s = await stage({ until: 'nothing' });
    const { stdout } = await s.expect(0, 'policy', 'schema');
    for (const folder of ['same', 'other']) mkdirSync(s.path(`${folder}/schema`), { recursive: true });
    s.write('same/schema/countersign.policy-1.json', stdout);
    s.write('other/schema/countersign.policy-1.json', '{}\n');
    await s.expect(0, 'init', 'same', '--network', 'testnet3');
    expect(await s.faultOf(2, 'init', 'other', '--network', 'testnet3')).toBe('E_FILE_EXISTS');
    expect(s.read('other/schema/countersign.policy-1.json')).toBe('{}\n');
    expect(existsSync(s.path('other/countersign.yaml'))).toBe(false);
    expect(existsSync(s.path('other/journal.sqlite'))).toBe(false);
  });

  it('a policy that begins with the line that init prints loads as before', async () => {
    const s = await stage({ until: 'init' });
    const before = await s.json(0, 'policy', 'explain', 'policy.yaml');
    s.write('lined.yaml', `${modeline('policy')}\n${s.read('policy.yaml')}`);
    expect((await s.json(0, 'policy', 'explain', 'lined.yaml')).digest).toBe(before.digest);
  });
});
