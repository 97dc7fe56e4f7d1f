import type { FtpCommand, FtpReport } from '../../kernel/dataplane/ftp-program.ts';
import type { Machine } from '../../lab/rig/machine.ts';
import { until } from '../../lab/rig/wait.ts';
import { Program } from '../../lab/traffic/program.ts';
import { FILE } from './file-server.ts';

export type Agreement = Extract<FtpCommand, { agree: unknown }>['agree'];

/** An FTP client that does one step at a time. */
export class FtpSession {
  readonly #program: Program<FtpReport, FtpCommand>;
  readonly #reports: FtpReport[] = [];

  /** @param file the bundled program */
  constructor(machine: Machine, file: string, server: string, source: string) {
    this.#program = new Program<FtpReport, FtpCommand>(machine, [file, server, source], (said) => {
      this.#reports.push(said);
    });
  }

  loggedIn(): Promise<void> {
    return this.#next('login', 1);
  }

  /** The client and the server agree on a data connection; nobody makes it yet. */
  async agree(how: Agreement): Promise<void> {
    await this.#tell('agree', { agree: how });
  }

  /** The data connection that was agreed on is made and brings the whole file. */
  async fetch(): Promise<void> {
    await this.#tell('fetch', { fetch: FILE.name });
    const bytes = this.#reports.at(-1)?.result;
    if (bytes !== FILE.bytes) throw new Error(`${bytes} bytes came`);
  }

  end(): Promise<void> {
    return this.#program.end();
  }

  async #tell(step: FtpReport['step'], command: FtpCommand): Promise<void> {
    const count = this.#reports.length + 1;
    this.#program.tell(command);
    await this.#next(step, count);
  }

  async #next(step: FtpReport['step'], count: number): Promise<void> {
    const look = (): string => {
      if (this.#program.errors !== '') throw new Error(this.#program.errors);
      return this.#reports.map((said) => JSON.stringify(said)).join('\n');
    };
    await until(`the end of ${step}`, look, 8000, () => this.#reports.length >= count);
    const said = this.#reports.at(-1);
    if (said?.step !== step) throw new Error(`${step}: ${said?.result}`);
  }
}
