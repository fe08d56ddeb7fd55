import { expect, it } from 'vitest';
import { modeline, publishedFiles, publishedSchema } from '../../src/policy/published.js';

it('every schema is a file whose name a modeline says, and its text is the schema', () => {
  const files = new Map(publishedFiles());
  expect([...files.keys()]).toEqual(['policy', 'book', 'case'].map((kind) => `countersign.${kind}-1.json`));
  for (const kind of ['policy', 'book', 'case'] as const) {
    const text = files.get(`countersign.${kind}-1.json`) ?? '';
    expect(JSON.parse(text)).toEqual(publishedSchema(kind));
    expect(text.endsWith('}\n')).toBe(true);
    expect(modeline(kind)).toMatch(new RegExp(`/countersign\\.${kind}-1\\.json$`));
  }
});
