import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from '../../test/lab/rig/lab.ts';
import { SERVER } from '../../test/lab/rig/plan.ts';
import { until } from '../../test/lab/rig/wait.ts';

/** Starts nginx on the lab's server, with one object of 0 bytes. Two processes, no log. */
export const startServer = async (lab: Lab): Promise<void> => {
  const directory = join(lab.run.path, 'www');
  await mkdir(directory);
  await writeFile(join(directory, 'empty'), '');
  const file = join(lab.run.path, 'nginx.conf');
  await writeFile(file, configuration(directory));
  const server = await lab.server.spawn('nginx', ['nginx', '-p', directory, '-c', file]);
  await until(
    'nginx',
    async () => {
      if (!server.running) {
        throw new Error(await server.output());
      }
      return lab.server.run(['ss', '-Hltn', `sport = :${PORT}`]);
    },
    10_000,
  );
};

const PORT = 80;

/** A connection for each request: setting them up is the firewall's work. */
const configuration = (directory: string): string => `
daemon off;
user root;
worker_processes 2;
pid ${directory}/pid;
error_log stderr;
events { worker_connections 8192; }
http {
  access_log off;
  keepalive_timeout 0;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  server { listen ${PORT} backlog=8192; root ${directory}; default_type text/plain; }
}
`;

export interface Load {
  /** Requests that were answered. */
  readonly requests: number;
  /** That failed: no connection, no answer in 2 s, another status than 200. */
  readonly failed: number;
  readonly seconds: number;
}

/** Connections that each client has at a time. */
const CONNECTIONS = 64;

/** Has all clients ask for the object as fast as they can, each request on a connection of its own. */
export const load = async (lab: Lab, seconds: number): Promise<Load> => {
  const line = ['wrk', '-t', '1', '-c', String(CONNECTIONS), '-d', `${seconds}s`, `http://${SERVER}/empty`];
  const options = { boundMs: (seconds + 30) * 1000 };
  const texts = await Promise.all(lab.clients.map(({ machine }) => machine.run(line, options)));
  const loads = texts.map(readWrk);
  return {
    requests: loads.reduce((sum, { requests }) => sum + requests, 0),
    failed: loads.reduce((sum, { failed }) => sum + failed, 0),
    seconds: Math.max(...loads.map((one) => one.seconds)),
  };
};

/** Reads what wrk prints: `12345 requests in 5.00s, 1.2MB read`, and a line for errors if there were any. */
const readWrk = (text: string): Load => {
  const [, requests, seconds] = /(\d+) requests in ([\d.]+)s/.exec(text) ?? [];
  if (requests === undefined || seconds === undefined) {
    throw new Error(`wrk said: ${text}`);
  }
  const [, connect = '0', , , timeout = '0'] =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text) ?? [];
  const [, status = '0'] = /Non-2xx or 3xx responses: (\d+)/.exec(text) ?? [];
  return {
    requests: Number(requests),
    failed: Number(connect) + Number(timeout) + Number(status),
    seconds: Number(seconds),
  };
};
