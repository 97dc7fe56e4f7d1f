import { hasSnat } from '../cluster/replicated.ts';
import type { ClusterConfig } from '../config/types.ts';
import { find, isLogged, isOff, isOn, lineOf, numberIn } from './directive.ts';
import type { Finding } from './finding.ts';
import { logFileOf } from './render.ts';
import type { Statement } from './syntax.ts';

/** What is wrong in the section General, but for its Filter. */
export function* checkGeneral(general: Statement | undefined, config: ClusterConfig): Generator<Finding> {
  const block = general?.block ?? [];
  const size = find(block, 'HashSize');
  // Not set is 65536 (src/read_config_yy.y).
  if (size !== undefined && !(numberIn(size) > 8192)) {
    yield {
      line: size.line,
      what: `HashSize ${size.values.join(' ')}`,
      why: 'with 8192 or less conntrackd ignores flushes once it has had a commit, until it is restarted',
      mend: 'HashSize 131072',
    };
  }
  const overrun = find(block, 'NetlinkOverrunResync');
  if (!isOff(overrun)) {
    yield {
      line: lineOf(overrun, general),
      what: `NetlinkOverrunResync ${overrun?.values[0] ?? 'is not set (on)'}`,
      why: "after lost events it takes copies of the peer's flows for its own; when one expires, the peer's flow dies",
      mend: 'NetlinkOverrunResync off',
    };
  }
  const reliable = find(block, 'NetlinkEventsReliable');
  if (isOn(reliable)) {
    yield {
      line: lineOf(reliable, general),
      what: 'NetlinkEventsReliable on',
      why: 'the kernel keeps ended flows until conntrackd has heard of them; a stuck conntrackd fills the table',
      mend: 'NetlinkEventsReliable off',
    };
  }
  const poll = find(block, 'PollSecs');
  if (poll !== undefined) {
    yield {
      line: poll.line,
      what: 'PollSecs is set',
      why: 'states are looked up at intervals instead of replicated as they change',
      mend: 'remove the line',
    };
  }
  const iterations = find(block, 'EventIterationLimit');
  if (hasSnat(config) && numberIn(iterations) !== 1) {
    yield {
      line: lineOf(iterations, general),
      what: `EventIterationLimit ${iterations?.values[0] ?? 'is not set (100)'}`,
      why: "of a connection that follows at once on another between the same ports, the peer's copy keeps the old translation",
      mend: 'EventIterationLimit 1',
    };
  }
  const buffer = find(block, 'NetlinkBufferSize') ?? find(block, 'SocketBufferSize');
  if (!(numberIn(buffer) >= 8_388_608)) {
    yield {
      line: lineOf(buffer, general),
      what: `NetlinkBufferSize ${buffer?.values[0] ?? 'is not set'}`,
      why: 'events of a burst of flows are lost, and with them states on the peer',
      mend: 'NetlinkBufferSize 67108864',
    };
  }
  if (!isLogged(find(block, 'Syslog')) && !isLogged(find(block, 'LogFile'))) {
    yield {
      line: lineOf(undefined, general),
      what: 'neither Syslog nor LogFile',
      why: 'flows that could not be put into the kernel are named nowhere else',
      mend: 'Syslog on',
    };
  }
  yield* checkLogFile(block, general, config);
  const unix = find(block, 'UNIX');
  const path = find(unix?.block ?? [], 'Path');
  if (path?.values[0] !== config.paths.conntrackd) {
    yield {
      line: lineOf(path ?? unix, general),
      what: `Path ${path?.values[0] ?? 'is missing'}`,
      why: `conntrack-ha looks for conntrackd at ${config.paths.conntrackd}`,
      mend: `UNIX { Path ${config.paths.conntrackd} }, or set paths.conntrackd in cluster.yaml`,
    };
  }
}

/** What `LogFile on` means (DEFAULT_LOGFILE, include/conntrackd.h). */
const DEFAULT_LOG = '/var/log/conntrackd.log';

function* checkLogFile(
  block: readonly Statement[],
  general: Statement | undefined,
  config: ClusterConfig,
): Generator<Finding> {
  if (config.sync.replicas !== 'cache') {
    return;
  }
  const log = find(block, 'LogFile');
  const expected = logFileOf(config.paths.conntrackd);
  const path = isOn(log) ? DEFAULT_LOG : log?.values[0];
  if (path !== expected) {
    yield {
      line: lineOf(log, general),
      what: `LogFile ${log?.values[0] ?? 'is not set'}`,
      why: 'how many states a commit has put into the kernel, and how many not, is said nowhere else',
      mend: `LogFile ${expected}`,
    };
  }
}
