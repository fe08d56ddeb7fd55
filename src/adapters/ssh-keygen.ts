import { spawn } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { keyOfLine } from '../approval/people.js';
import { SSH_KEY_TYPES } from '../approval/sshsig.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';

export interface SshSignRequest {
  /** The private key's file, or its .pub where an agent holds the private half. Never opened by this process. */
  readonly keyFile: string;
  readonly namespace: string;
  readonly message: Uint8Array;
  /** What ssh-keygen says meanwhile ("Confirm user presence for key ..."), for the person at the terminal. */
  readonly onNotice?: (text: string) => void;
  /** The program; only tests name another. */
  readonly program?: string;
}

/**
 * Signs with `ssh-keygen -Y sign` and returns the armoured SSHSIG. The message goes in by standard input; a passphrase or
 * PIN is asked for by ssh-keygen itself, on the terminal or by SSH_ASKPASS, and never passes through here.
 * E_SSH_KEY where the key file is missing, E_SSH_KEYGEN where the program is, or did not sign.
 */
export async function signWithSshKeygen(request: SshSignRequest): Promise<Result<string, Fault>> {
  const { keyFile, namespace, message } = request;
  if (!(await readable(keyFile))) return missingKey(keyFile);
  const ran = await run(request, ['-Y', 'sign', '-f', keyFile, '-n', namespace], message);
  if (!ran.ok) return ran;
  const { code, stdout, stderr } = ran.value;
  if (code === 0 && stdout.startsWith('-----BEGIN SSH SIGNATURE-----')) return ok(stdout);
  return fail('E_SSH_KEYGEN', `ssh-keygen did not sign with ${keyFile}: ${lastLines(stderr)}`, {
    remedy: /UNPROTECTED|permissions/i.test(stderr)
      ? `let nobody but you read the key: chmod 600 ${keyFile}`
      : 'see what ssh-keygen says; the key needs its passphrase, its token, or an agent that holds it',
    where: { file: keyFile },
  });
}

/** "type base64" of a public key: of KEY.pub, or of the file itself where its name ends so. E_SSH_KEY. */
export async function publicKeyOf(keyFile: string): Promise<Result<string, Fault>> {
  const file = keyFile.endsWith('.pub') ? keyFile : `${keyFile}.pub`;
  if (!(await readable(file))) {
    return fail('E_SSH_KEY', `${file}: the public key cannot be read`, {
      remedy: `name a key that exists; to write its public half: ssh-keygen -y -f ${keyFile} > ${file}`,
      where: { file },
    });
  }
  const line = keyOfLine(await readFile(file, 'utf8'));
  const [type, base64 = ''] = line.split(' ');
  const known = SSH_KEY_TYPES.some((one) => one === type);
  if (known && /^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return ok(line);
  const what = known || !/^(ssh|ecdsa|sk)-[a-z0-9@.-]+$/.test(type ?? '') ? 'not an SSH public key' : `of type ${type}`;
  return fail('E_SSH_KEY', `${file}: it is ${what}`, {
    remedy: `use a key of type ${SSH_KEY_TYPES.join(', ')}`,
    where: { file },
  });
}

function missingKey(keyFile: string): Result<never, Fault> {
  return fail('E_SSH_KEY', `${keyFile}: the key cannot be read`, {
    remedy: 'name the file of your private key, or its .pub where an agent holds the private half',
    where: { file: keyFile },
  });
}

/** access() answers by exception alone; a path with a NUL throws as well and is as unreadable. */
async function readable(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
}

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(
  { program = 'ssh-keygen', onNotice }: SshSignRequest,
  args: readonly string[],
  input: Uint8Array,
): Promise<Result<Ran, Fault>> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      onNotice?.(text);
    });
    child.on('error', (error) => {
      const remedy = 'install OpenSSH 8.2 or newer (package openssh-client), and have ssh-keygen on the PATH';
      resolve(fail('E_SSH_KEYGEN', `${program} could not be started: ${error.message}`, { remedy }));
    });
    child.on('close', (code) => resolve(ok({ code, stdout, stderr })));
    // ssh-keygen may refuse the key and exit before it reads: its exit code tells, the broken pipe adds nothing.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** The end of what a program said, on one line and without control characters. */
function lastLines(text: string): string {
  const lines = text.replace(/[^\P{Cc}\n]/gu, '').split('\n');
  const said = lines.map((line) => line.trim()).filter((line) => line !== '' && !/^@+$/.test(line));
  return said.slice(-3).join('; ') || 'it said nothing';
}
