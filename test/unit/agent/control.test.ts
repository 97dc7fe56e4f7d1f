import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askAgent, type ControlRequest, serveControl } from '../../../src/agent/control.ts';
import { ControlError, NoAgentError } from '../../../src/agent/control-error.ts';

let directory: string;
let path: string;
let server: Server | undefined;
const handled: ControlRequest[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'conntrack-ha-control-'));
  path = join(directory, 'agent.sock');
  handled.length = 0;
});

afterEach(() => {
  server?.close();
  server = undefined;
  rmSync(directory, { recursive: true });
});

const serve = async (
  handle: (request: ControlRequest) => Promise<unknown> = async () => 'well',
): Promise<void> => {
  server = await serveControl(path, (request) => {
    handled.push(request);
    return handle(request);
  });
};

/** What the agent answers to raw bytes, until it closes. */
const exchange = (send: (socket: Socket) => void, allowHalfOpen = false): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    const socket = connect({ path, allowHalfOpen }, () => send(socket));
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });

describe('askAgent', () => {
  it('carries a request there and the answer back', async () => {
    await serve(async () => ({ groups: ['fw1_fw2'] }));
    const request = { command: 'takeover', target: 'fw1', force: false } as const;
    expect(await askAgent(path, request, 1000)).toEqual({ groups: ['fw1_fw2'] });
    expect(handled).toEqual([request]);
  });

  it('gives the reason of a request that failed', async () => {
    await serve(async () => {
      throw new Error('it is Sunday');
    });
    await expect(askAgent(path, { command: 'status' }, 1000)).rejects.toThrow(
      new ControlError('it is Sunday'),
    );
  });

  it('says that no agent runs: no socket, or one that was left behind', async () => {
    await expect(askAgent(path, { command: 'status' }, 1000)).rejects.toThrow(NoAgentError);
    await expect(askAgent(path, { command: 'status' }, 1000)).rejects.toThrow(/start it: conntrack-ha run/);
    writeFileSync(path, '');
    await expect(askAgent(path, { command: 'status' }, 1000)).rejects.toThrow(NoAgentError);
  });

  it('gives an agent up that does not answer', async () => {
    await serve(() => new Promise(() => {}));
    await expect(askAgent(path, { command: 'status' }, 100)).rejects.toThrow(/didn't answer in 100 ms/);
  });

  it('says so when the reply is none', async () => {
    const other = createServer((socket) => socket.end('hello\n'));
    await new Promise<void>((resolve) => other.listen(path, resolve));
    await expect(askAgent(path, { command: 'status' }, 1000)).rejects.toThrow(/can't be read/);
    other.close();
  });
});

describe('serveControl', () => {
  it('opens to root only, in the place of a socket that was left', async () => {
    writeFileSync(path, '');
    await serve();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await askAgent(path, { command: 'status' }, 1000)).toBe('well');
  });

  it.each([
    ['no JSON', 'hello\n', /it is no JSON; expected one line such as/],
    ['an empty line', '\n', /it is no JSON/],
    ['no object', '7\n', /request: .*expected object/],
    ['no command', '{}\n', /command: /],
    ['an unknown command', '{"command":"dance"}\n', /command: .*'status'/],
    ['no target', '{"command":"takeover","force":true}\n', /target: /],
    ['a wrong type', '{"command":"release","target":"fw1","force":"yes"}\n', /force: /],
    ['an endless name', `{"command":"release","target":"${'x'.repeat(300)}","force":true}\n`, /target: /],
    ['1 MB', `${'x'.repeat(1 << 20)}\n`, /a line of 1048576 bytes, the limit is 65536/],
    ['bytes', Buffer.concat([randomBytes(500), Buffer.from('\n')]), /malformed request/],
  ])('answers %s in one line, and goes on', async (_, bytes, reason) => {
    await serve();
    const text = await exchange((socket) => socket.write(bytes));
    expect(text).toMatch(/^[^\n]*\n$/);
    const { error } = JSON.parse(text);
    expect(error).toMatch(/^malformed request: [^\n]*$/);
    expect(error).toMatch(reason);
    expect(handled).toEqual([]);
    expect(await askAgent(path, { command: 'status' }, 1000)).toBe('well');
  });

  it('answers a client that closes its writing side, whole or cut', async () => {
    await serve();
    expect(await exchange((socket) => socket.end('{"command":"status"}\n'))).toBe('{"ok":"well"}\n');
    const cut = await exchange((socket) => socket.end('{"command":'));
    expect(JSON.parse(cut).error).toBe(
      'malformed request: 11 bytes without an end of line; expected one line of JSON',
    );
  });

  it('hears one request a connection', async () => {
    await serve();
    const status = '{"command":"status"}\n';
    expect(await exchange((socket) => socket.write(status + status))).toBe('{"ok":"well"}\n');
    expect(handled).toHaveLength(1);
  });

  it('does not wait for ever: a client that says nothing, and one that never comes to an end', async () => {
    await serve();
    const began = performance.now();
    const endless = exchange((socket) => {
      const timer = setInterval(() => socket.write('x'.repeat(1000)), 50);
      socket.on('close', () => clearInterval(timer));
    }, true);
    const silent = await exchange(() => {});
    expect(JSON.parse(silent).error).toMatch(/no line within 2000 ms/);
    await endless;
    expect(performance.now() - began).toBeLessThan(6000);
    expect(await askAgent(path, { command: 'status' }, 1000)).toBe('well');
  });

  it('lets a command take longer than a client may take to say it', async () => {
    await serve(() => new Promise((resolve) => setTimeout(() => resolve('at last'), 4300)));
    expect(await askAgent(path, { command: 'drain', force: false }, 10_000)).toBe('at last');
  });

  it('survives clients that leave before the answer', async () => {
    let finish = (_: string): void => {};
    const finished = new Promise<string>((resolve) => {
      finish = resolve;
    });
    await serve(() => finished);
    await new Promise<void>((resolve) => {
      const socket = connect(path, () => socket.write('{"command":"status"}\n', () => socket.destroy()));
      socket.on('close', () => resolve());
    });
    finish('late');
    expect(await askAgent(path, { command: 'status' }, 1000)).toBe('late');
    expect(existsSync(path)).toBe(true);
  });
});
