import { expect, it } from '@jest/globals';
import { QueryRunnerAlreadyReleasedError } from 'typeorm';
import { isConnectionError } from './errors.ts';

const withCode = (code: string): Error => Object.assign(new Error('…'), { code });

it.each([
  ['the server goes', withCode('57P01')],
  ['it has ended a transaction that was idle for too long', withCode('25P03')],
  ['the socket breaks', withCode('ECONNRESET')],
  ['the connection is found broken', new Error('Client has encountered a connection error and is not queryable')],
  ['it has broken in the middle of a transaction', new QueryRunnerAlreadyReleasedError()],
])('says nothing about the event at hand when %s', (_, error) => {
  expect(isConnectionError(error)).toBe(true);
});

it.each([
  ['a constraint', withCode('23505')],
  ['a fault of our own', new TypeError('x is not a function')],
])('blames the event for %s', (_, error) => {
  expect(isConnectionError(error)).toBe(false);
});
