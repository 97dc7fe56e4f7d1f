import { test } from 'vitest';
import { agentGone } from './agent-gone.ts';

// Killed, and without the check: long/agent-dead.
test('an agent hangs: its node counts as not ready', { timeout: 90_000 }, () => agentGone('SIGSTOP'));
