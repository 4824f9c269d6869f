import { expect, it } from '@jest/globals';
import { filenameOf } from './filename.ts';

it.each([
  [`attachment; filename="bill.pdf"`, 'bill.pdf'],
  ['attachment; filename=bill.pdf', 'bill.pdf'],
  [`attachment; filename="x.pdf"; filename*=UTF-8''%C3%BA%C4%8Det.pdf`, 'účet.pdf'],
  [String.raw`attachment; filename="a \"b\".txt"`, 'a "b".txt'],
  [`attachment; filename="../../etc/passwd"`, 'passwd'],
  [String.raw`attachment; filename="C:\\Users\\x.doc"`, 'x.doc'],
  [`attachment; filename=".."`, 'file'],
  [`attachment; filename*=UTF-8''%E0%A4`, 'file'],
  ['attachment', 'file'],
  [undefined, 'file'],
])('%j is %j', (disposition, name) => {
  expect(filenameOf(disposition)).toBe(name);
});
