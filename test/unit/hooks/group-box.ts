import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOf } from '../../../src/system/process-start.ts';
import { Sandbox } from './sandbox.ts';

/** What an action of the resource agent came to: its exit status, and what it said. */
interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A sandbox with the resource agent of group `fw1_fw2`, as the resource `g1` runs it. */
export class GroupBox extends Sandbox {
  constructor(shell?: string) {
    super(shell);
    this.script('bin/attrd_updater', `echo "$*" >>${this.root}/scores`);
    this.script('bin/cibadmin', 'exit 102');
  }

  /** What Pacemaker sets for an action, with 200 ms for what it waits for. */
  get ocf(): Record<string, string> {
    return {
      ...this.env,
      OCF_RESOURCE_INSTANCE: 'g1:0',
      OCF_RESKEY_group: 'fw1_fw2',
      OCF_RESKEY_run: this.run,
      OCF_RESKEY_CRM_meta_timeout: '400',
      OCF_RESKEY_CRM_meta_interval: '0',
    };
  }

  get agent(): string {
    return join(this.hooks, 'ocf/group');
  }

  /** Runs an action to its end. An undefined variable isn't set. */
  act(action: string, change: Readonly<Record<string, string | undefined>> = {}): Outcome {
    const env = Object.fromEntries(Object.entries({ ...this.ocf, ...change }).filter(([, value]) => value));
    const { status, stdout, stderr } = spawnSync(this.agent, [action], {
      env,
      encoding: 'utf8',
      timeout: 10_000,
    });
    return { status, stdout, stderr };
  }

  /** Starts an action, and calls `meanwhile` again and again until it has ended. */
  async during(action: string, meanwhile: () => void, timeoutMs = 8000): Promise<Outcome> {
    const env = { ...this.ocf, OCF_RESKEY_CRM_meta_timeout: String(timeoutMs) };
    const child = spawn(this.agent, [action], { env });
    let stderr = '';
    child.stderr.on('data', (data) => {
      stderr += String(data);
    });
    const timer = setInterval(meanwhile, 10);
    const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
    clearInterval(timer);
    return { status, stdout: '', stderr };
  }

  /** The agent has heard of this process, which calls the actions. */
  callerKnown(): void {
    this.write('manager', `${process.pid} ${startOf('self')}\n`);
  }

  /** What the agent has answered about the group. */
  answer(role: 'owner' | 'replica', reason = 'Pacemaker says so'): void {
    mkdirSync(join(this.run, 'groups'), { recursive: true });
    this.write('groups/fw1_fw2', `${JSON.stringify({ group: 'fw1_fw2', role, reason, time: 'now' })}\n`);
  }

  /** What the resource agent remembers; undefined: nothing. */
  get held(): string | undefined {
    const path = join(this.run, 'pacemaker/fw1_fw2');
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  }

  set held(text: string) {
    mkdirSync(join(this.run, 'pacemaker'), { recursive: true });
    this.write('pacemaker/fw1_fw2', text);
  }

  /** Pacemaker's words, without who said them, in the order of their processes. */
  get said(): string[] {
    return this.words().map(({ text }) => text.split(' ')[0] ?? '');
  }

  /** What was done to the promotion score. */
  get scores(): string[] {
    const path = join(this.root, 'scores');
    return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
  }
}
