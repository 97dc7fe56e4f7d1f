import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FlowSpec } from '../../lab/traffic/flow.ts';
import { Meter } from '../../lab/traffic/meter.ts';

const SPEC: FlowSpec = { id: 'c1.udp', kind: 'udp', from: '192.168.0.2' };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

const upMeter = (): Meter => {
  const meter = new Meter(SPEC);
  meter.send();
  meter.answer();
  return meter;
};

test('the worst stall is the longest wait, the present one included, but not the start', () => {
  const meter = new Meter(SPEC);
  meter.send();
  vi.advanceTimersByTime(3000);
  expect(meter.report()).toMatchObject({ state: 'starting', waiting: 3000, worstStall: 0 });
  meter.answer();
  meter.send();
  vi.advanceTimersByTime(700);
  expect(meter.report()).toMatchObject({ state: 'up', waiting: 700, worstStall: 700 });
  vi.advanceTimersByTime(100);
  meter.answer();
  meter.send();
  vi.advanceTimersByTime(50);
  expect(meter.report()).toMatchObject({ waiting: 50, worstStall: 800, sent: 3, answered: 2 });
});

test('silence loses a flow after eight seconds, but not when it waits for nothing', () => {
  const quiet = upMeter();
  vi.advanceTimersByTime(60_000);
  expect(quiet.report().state).toBe('up');
  quiet.send();
  vi.advanceTimersByTime(8000);
  expect(quiet.report().state).toBe('up');
  vi.advanceTimersByTime(1);
  expect(quiet.report()).toMatchObject({ state: 'lost', reason: 'no answer for 8 s' });
});

test('an answer with others pending goes on waiting from the oldest', () => {
  const meter = upMeter();
  meter.send();
  vi.advanceTimersByTime(100);
  const second = performance.now();
  meter.send();
  vi.advanceTimersByTime(200);
  meter.answer(1, second);
  expect(meter.report().waiting).toBe(200);
});

test('what came twice is counted from report to report; the first reason stays', () => {
  const meter = upMeter();
  meter.twice();
  meter.twice();
  expect(meter.report().twice).toBe(2);
  expect(meter.report().twice).toBe(0);
  meter.lose('ECONNRESET');
  meter.lose('closed');
  expect(meter.report().reason).toBe('ECONNRESET');
});
