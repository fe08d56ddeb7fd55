// A node in regtest on loopback for the benchmarks: bitcoind where one is on the PATH, else Debian's litecoind, which takes the
// same transactions. It is ended, and its folder removed, by `stop`.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LITECOIND = '/usr/lib/litecoin/litecoind';
const LITECOIN_FLAGS = ['-mempoolreplacement=1', '-vbparams=mweb:99999999999:999999999999', '-dustrelayfee=0.00003'];
const CALLS_AT_ONCE = 500;
const BYTES_AT_ONCE = 8_000_000;

const onPath = (name) => spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();

function findProgram() {
  const found = [onPath('bitcoind'), existsSync(LITECOIND) ? LITECOIND : onPath('litecoind')].find(
    (path) => path !== '',
  );
  if (found === undefined) throw new Error('neither bitcoind nor litecoind is here: apt-get install litecoind');
  return found;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function startNode() {
  const program = findProgram();
  const folder = mkdtempSync(join(tmpdir(), 'countersign-node-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const cookie = join(folder, 'regtest', '.cookie');
  const flags = [
    '-regtest',
    `-datadir=${folder}`,
    '-server',
    '-listen=0',
    '-listenonion=0',
    '-dnsseed=0',
    '-dbcache=1000',
  ];
  const rpcFlags = ['-rpcbind=127.0.0.1', '-rpcallowip=127.0.0.1', `-rpcport=${port}`, '-persistmempool=0'];
  const more = program.endsWith('litecoind') ? LITECOIN_FLAGS : [];
  const child = spawn(program, [...flags, ...rpcFlags, ...more], { stdio: 'ignore' });

  /** On a connection of its own: the node closes one that was idle, and fetch would find that out too late. */
  async function post(body) {
    const authorization = `Basic ${Buffer.from(readFileSync(cookie, 'utf8')).toString('base64')}`;
    const sent = request(url, { method: 'POST', agent: false, headers: { authorization } });
    sent.end(JSON.stringify(body));
    const [answer] = await once(sent, 'response');
    const chunks = [];
    for await (const chunk of answer) chunks.push(chunk);
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  }
  function resultOf({ result, error }, method) {
    if (error !== null) throw new Error(`${method}: ${error.message}`);
    return result;
  }
  const rpc = async (method, ...params) => resultOf(await post({ id: 0, method, params }), method);

  /** One call for each of the parameters, several in one request; a node reads no more than 32 MB at once. */
  async function each(method, params) {
    const results = [];
    for (let from = 0; from < params.length; ) {
      const some = [];
      for (let size = 0; from < params.length && some.length < CALLS_AT_ONCE && size < BYTES_AT_ONCE; from += 1) {
        some.push({ id: some.length, method, params: params[from] });
        size += JSON.stringify(params[from]).length;
      }
      const answers = await post(some);
      results.push(...answers.map((answer) => resultOf(answer, method)));
    }
    return results;
  }

  /** CPU milliseconds that the node has used, all its threads counted (proc(5): utime and stime, in hundredths). */
  function cpu() {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  async function stop() {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }

  for (let attempt = 0; ; attempt += 1) {
    try {
      await rpc('getblockchaininfo');
      return { program, url, cookie, rpc, each, cpu, stop };
    } catch (error) {
      if (attempt > 300 || child.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
