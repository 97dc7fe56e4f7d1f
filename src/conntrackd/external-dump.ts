import { parseAddress } from '../cluster/address.ts';
import type { Tuple } from '../cluster/flow.ts';
import type { Control } from './control.ts';
import { ConntrackdError } from './errors.ts';
import { parseStatistics } from './statistics.ts';

/**
 * The original tuples of the flows in the external cache, some at a time. conntrackd tells neither their reply
 * nor their translation (cache_ct_dump_step in src/cache-ct.c). Not a snapshot of what comes in meanwhile: a forked child
 * prints what was there when it was forked.
 *
 * @throws {ConntrackdError} what `Control.stream` throws, and if the child could not be forked
 */
export async function* dumpExternal(
  control: Control,
  signal?: AbortSignal,
): AsyncGenerator<readonly Tuple[], void, undefined> {
  let rest = '';
  let lines = 0;
  for await (const piece of control.stream('dumpExternal', signal)) {
    const whole = (rest + piece).split('\n');
    rest = whole.pop() ?? '';
    lines += whole.length;
    yield whole.map(parseExternal).filter((tuple) => tuple !== undefined);
  }
  if (lines === 0) {
    const { external } = parseStatistics(await control.send('statistics'));
    if (external.kind === 'cache' && external.active > 0) {
      throw new ConntrackdError(
        `conntrackd shows nothing of ${external.active} flows in its external cache; can it fork?`,
      );
    }
  }
}

const FLOW =
  /^\S+ +(?<protocol>\d+) .*?\bsrc=(?<src>[\da-f.:]+) dst=(?<dst>[\da-f.:]+)(?: sport=(?<sport>\d+) dport=(?<dport>\d+)| type=(?<type>\d+) code=(?<code>\d+) id=(?<id>\d+))?/;

/** The tuple in a line such as `udp      17 src=192.168.0.3 dst=192.168.1.2 sport=1000 dport=53 [active since 1s]`. */
export const parseExternal = (line: string): Tuple | undefined => {
  const { protocol, src, dst, sport, dport, type, code, id } = FLOW.exec(line)?.groups ?? {};
  if (src === undefined || dst === undefined) {
    return undefined;
  }
  return {
    protocol: Number(protocol),
    src: parseAddress(src),
    dst: parseAddress(dst),
    sport: Number(sport ?? id ?? 0),
    dport: dport === undefined ? Number(type ?? 0) * 256 + Number(code ?? 0) : Number(dport),
  };
};
