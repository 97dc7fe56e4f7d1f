import { chmodSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import * as z from 'zod';
import { LineSplitter } from '../system/lines.ts';
import { ControlAccessError, ControlError, NoAgentError } from './control-error.ts';

/** Longest request and reply in bytes. */
const REQUEST_LIMIT = 65_536;
/** How long a client may take to say what it wants, from its connecting to the end of its line. */
const PATIENCE_MS = 2000;

const request = z.discriminatedUnion('command', [
  z.object({ command: z.enum(['status', 'mend']) }),
  z.object({
    command: z.enum(['takeover', 'release']),
    target: z.string().min(1).max(255),
    force: z.boolean(),
  }),
  z.object({ command: z.enum(['drain', 'resume']), force: z.boolean() }),
]);

/** What a command asks the running agent. */
export type ControlRequest = z.infer<typeof request>;

const reply = z.union([z.object({ ok: z.unknown() }), z.object({ error: z.string() })]);

/** Serves `handle` on a socket that only root can open. An earlier agent's socket file is replaced. */
export const serveControl = async (
  path: string,
  handle: (request: ControlRequest) => Promise<unknown>,
): Promise<Server> => {
  removeStale(path);
  // A client may close its writing side and read on, as socat does.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    // An agent that ends doesn't wait for its clients.
    socket.unref();
    readLine(socket)
      .then((line) => replyTo(line, handle))
      .catch((error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }))
      .then((value) => socket.end(`${JSON.stringify(value)}\n`));
  });
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return server;
};

/** The client's one line. Throws a ControlError for what is none, and when it is too long or takes too long. */
const readLine = (socket: Socket): Promise<string> =>
  new Promise((resolve, reject) => {
    const malformed = (problem: string): void => {
      reject(new ControlError(`malformed request: ${problem}; expected one line of JSON`));
    };
    const said = (line: string): void => {
      clearTimeout(timer);
      resolve(line);
    };
    const splitter = new LineSplitter(REQUEST_LIMIT, said, (bytes) =>
      malformed(`a line of ${bytes} bytes, the limit is ${REQUEST_LIMIT}`),
    );
    const timer = setTimeout(() => {
      malformed(`no line within ${PATIENCE_MS} ms`);
      // Who goes on writing has had its answer.
      setTimeout(() => socket.destroy(), PATIENCE_MS).unref();
    }, PATIENCE_MS).unref();
    socket.on('data', (chunk) => splitter.push(chunk));
    socket.on('end', () => malformed(`${splitter.end()} bytes without an end of line`));
    socket.on('close', () => clearTimeout(timer));
  });

const replyTo = async (
  line: string,
  handle: (request: ControlRequest) => Promise<unknown>,
): Promise<unknown> => {
  const parsed = parseRequest(line);
  return 'error' in parsed ? parsed : { ok: await handle(parsed.request) };
};

/** Sends one request to the agent and waits for its reply. */
export const askAgent = async (path: string, body: ControlRequest, bound: number): Promise<unknown> => {
  const text = await exchange(path, `${JSON.stringify(body)}\n`, bound);
  if (text === '') {
    throw new ControlError(`${path}: the agent ended before it answered; see its log`);
  }
  const parsed = reply.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new ControlError(`${path}: the agent's reply can't be read; is it of another version?`);
  }
  if ('error' in parsed.data) {
    throw new ControlError(parsed.data.error);
  }
  return parsed.data.ok;
};

const exchange = (path: string, line: string, bound: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(line));
    let text = '';
    socket.setEncoding('utf8');
    socket.setTimeout(bound, () => {
      socket.destroy(new ControlError(`${path}: the agent didn't answer in ${bound} ms; see its log`));
    });
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', (cause) => reject(explain(path, cause)));
    socket.on('close', () => resolve(text));
  });

const explain = (path: string, cause: Error): Error => {
  switch ('code' in cause ? cause.code : undefined) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return new NoAgentError(`no agent runs here (${path}); start it: conntrack-ha run`, { cause });
    case 'EACCES':
      return new ControlAccessError(`${path}: only root may ask the agent; use sudo`, { cause });
    case undefined:
      return cause;
    default:
      return new ControlError(`${path}: the agent can't be asked: ${cause.message}`, { cause });
  }
};

const parseRequest = (line: string): { readonly request: ControlRequest } | { readonly error: string } => {
  const value = parseJson(line);
  if (value === undefined) {
    return { error: 'malformed request: it is no JSON; expected one line such as {"command":"status"}' };
  }
  const parsed = request.safeParse(value);
  if (parsed.success) {
    return { request: parsed.data };
  }
  const [issue] = parsed.error.issues;
  const place = issue?.path.join('.') || 'request';
  return {
    error: `malformed request: ${place}: ${issue?.message ?? 'unreadable'}; is it of another version?`,
  };
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const removeStale = (path: string): void => {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
      throw error;
    }
  }
};
