import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KeyError, readKey } from '../../../src/config/key.ts';

let directory = '';
let path = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-'));
  path = join(directory, 'key');
});
afterEach(() => rm(directory, { recursive: true }));

const write = async (bytes: Buffer, mode: number): Promise<void> => {
  await writeFile(path, bytes);
  await chmod(path, mode);
};

const refusal = async (): Promise<KeyError> => {
  const error = await readKey(path).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(KeyError);
  return error instanceof KeyError ? error : new KeyError(path, '', '');
};

const asRoot = process.geteuid?.() === 0;

describe('the key', () => {
  test.each([0o600, 0o400])('is the bytes of a file of mode %o', async (mode) => {
    const bytes = randomBytes(32);
    await write(bytes, mode);
    expect(await readKey(path)).toEqual(bytes);
  });

  test('may be named by a symbolic link', async () => {
    const bytes = randomBytes(64);
    await write(bytes, 0o600);
    await symlink(path, `${path}.link`);
    expect(await readKey(`${path}.link`)).toEqual(bytes);
  });

  test.each([0o640, 0o604, 0o620, 0o644, 0o660, 0o777])('is refused with mode %o', async (mode) => {
    await write(randomBytes(32), mode);
    expect((await refusal()).message).toBe(
      `key file ${path}: others than its owner may use it (mode 0${mode.toString(8)}); run: chmod 600 ${path}`,
    );
  });

  test('is refused if it is short', async () => {
    await write(randomBytes(31), 0o600);
    expect((await refusal()).message).toBe(
      `key file ${path}: is 31 bytes long, not 32 to 4096; run: (umask 077; head -c 32 /dev/urandom > ${path}) and copy it to the other node`,
    );
  });

  test('is refused if it is long', async () => {
    await write(randomBytes(4097), 0o600);
    expect((await refusal()).message).toContain('is 4097 bytes long');
  });

  test('is refused if it is not there', async () => {
    const error = await refusal();
    expect(error.message).toMatch(/: is not there; run: \(umask 077; head -c 32 \/dev\/urandom > .*\)/);
    expect(error.path).toBe(path);
    expect(error.cause).toHaveProperty('code', 'ENOENT');
  });

  test('is refused if it is a directory', async () => {
    await mkdir(path);
    expect((await refusal()).message).toContain('is not a file');
  });

  test('is refused at once if it is a FIFO that nobody writes to', async () => {
    execFileSync('mkfifo', ['-m', '600', path]);
    expect((await refusal()).message).toContain('is not a file');
  });

  test.runIf(asRoot)('is refused if it belongs to somebody else', async () => {
    await write(randomBytes(32), 0o600);
    await chown(path, 65534, 65534);
    expect((await refusal()).message).toBe(`key file ${path}: belongs to user 65534; run: chown 0 ${path}`);
  });
});
