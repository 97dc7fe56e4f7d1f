import { expect, it } from 'vitest';
import { RepeatedQuestions } from '../../../src/agent/repeated-questions.ts';

it('finds what is asked for again and again', () => {
  const questions = new RepeatedQuestions();
  const found = Array.from({ length: 10 }, (_, round) => questions.ask([1, 100 + round], round * 250));
  expect(found).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 1, 1]);
  questions.forget();
  expect(questions.ask([1], 3000)).toBe(0);
});

it('forgets what was asked for long ago', () => {
  const questions = new RepeatedQuestions();
  for (let round = 0; round < 20; round += 1) {
    expect(questions.ask(round % 2 === 0 ? [1] : [2], round * 6000)).toBe(0);
  }
});
