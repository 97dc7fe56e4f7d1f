import { describe, expect, it } from 'vitest';
import {
  FRAME_MS,
  framePause,
  HURRIED_FRAME_MS,
  judgeLeg,
  type LegHearing,
  type PeerHearing,
} from '../../../src/cluster/leg-hearing.ts';

const peer = (name: string, heard: Readonly<Record<string, number>>, telling = 60_000): PeerHearing => ({
  name,
  telling,
  heard: new Map(Object.entries(heard)),
});

const leg = (
  heard: Readonly<Record<string, number>>,
  peers: readonly PeerHearing[],
  listening = 60_000,
): LegHearing => ({ listening, heard: new Map(Object.entries(heard)), peers });

describe('judgeLeg, of two nodes, of which this is fw1', () => {
  it.each([
    ['each hears the other', leg({ fw2: 900 }, [peer('fw2', { fw1: 900 })]), 'heard'],
    ['the peer hears this one no longer', leg({ fw2: 900 }, [peer('fw2', { fw1: 9000 })]), 'heard'],
    ['it is heard and has not heard for 2 s', leg({ fw2: 2000 }, [peer('fw2', { fw1: 300 })]), 'deaf'],
    ['it is heard and never heard anybody', leg({}, [peer('fw2', { fw1: 300 })]), 'deaf'],
    ['one frame is late', leg({ fw2: 1900 }, [peer('fw2', { fw1: 300 })]), 'heard'],
    ['neither hears the other', leg({ fw2: 3000 }, [peer('fw2', { fw1: 2500 })]), 'unheard'],
    ['neither has ever', leg({}, [peer('fw2', {})]), 'unheard'],
    // The switch has stopped everything just behind a frame to the peer and just before one of it.
    ['the peer’s silence has just begun', leg({ fw2: 2000 }, [peer('fw2', { fw1: 1100 })]), 'unknown'],
    ['the peer has just begun to send', leg({ fw2: 9000 }, [peer('fw2', { fw1: 300 }, 1900)]), 'unknown'],
    ['this one has just begun to listen', leg({ fw2: 9000 }, [peer('fw2', { fw1: 300 })], 1900), 'unknown'],
    ['both have begun 1 s ago', leg({}, [peer('fw2', { fw1: 300 }, 1000)], 1000), 'deaf'],
    ['both have begun 0.9 s ago', leg({}, [peer('fw2', { fw1: 300 }, 900)], 900), 'unknown'],
    ['no peer tells of the leg', leg({ fw2: 9000 }, []), 'unknown'],
  ] as const)('%s', (_, hearing, verdict) => {
    expect(judgeLeg(hearing)).toBe(verdict);
  });
});

describe('judgeLeg, of three', () => {
  it.each([
    [
      'the others hear each other only',
      leg({}, [peer('fw2', { fw3: 300 }), peer('fw3', { fw2: 400 })]),
      'deaf',
    ],
    [
      'it hears one of them',
      leg({ fw3: 500 }, [peer('fw2', { fw1: 100 }), peer('fw3', { fw2: 100 })]),
      'heard',
    ],
    ['one of them is deaf too', leg({}, [peer('fw2', {}), peer('fw3', { fw1: 100 })]), 'deaf'],
    ['none hears any', leg({}, [peer('fw2', {}), peer('fw3', { fw2: 4000 })]), 'unheard'],
  ] as const)('%s', (_, hearing, verdict) => {
    expect(judgeLeg(hearing)).toBe(verdict);
  });
});

describe('framePause', () => {
  it.each([
    ['all is well', leg({ fw2: 1000 }, [peer('fw2', { fw1: 1000 })]), FRAME_MS],
    ['this node may be deaf', leg({ fw2: 1200 }, [peer('fw2', { fw1: 100 })]), HURRIED_FRAME_MS],
    ['the peer may be', leg({ fw2: 100 }, [peer('fw2', { fw1: 1300 })]), HURRIED_FRAME_MS],
    ['the peer has never heard it', leg({ fw2: 100 }, [peer('fw2', {}, 100)]), HURRIED_FRAME_MS],
    ['it has just begun', leg({}, [peer('fw2', { fw1: 100 })], 100), HURRIED_FRAME_MS],
    ['it began long ago and has never heard anybody', leg({}, [peer('fw2', { fw1: 100 })], 6000), FRAME_MS],
    ['that has been known for long', leg({ fw2: 100 }, [peer('fw2', { fw1: 6000 })]), FRAME_MS],
    ['nobody tells of the leg', leg({}, []), FRAME_MS],
  ] as const)('%s', (_, hearing, pause) => {
    expect(framePause('fw1', hearing)).toBe(pause);
  });
});
