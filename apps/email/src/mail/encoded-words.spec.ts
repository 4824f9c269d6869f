import { expect, it } from '@jest/globals';
import { decodeWords } from './encoded-words.ts';

it.each([
  ['plain', 'plain'],
  ['=?utf-8?B?8J+YoQ==?=', '😡'],
  ['=?utf-8?q?a=5Fb_c?=', 'a_b c'],
  ['=?iso-8859-2?Q?=BElu=BB?= and =?UTF-8?Q?=C3=A9?= more', 'žluť and é more'],
  // Space between encoded words belongs to neither; between a word and text it does.
  ['=?utf-8?Q?a?=  =?utf-8?Q?b?= =?iso-8859-1?Q?c?= d', 'abc d'],
  // One character in two words.
  ['=?utf-8?B?8J+Y?= =?utf-8?B?oQ==?=', '😡'],
  ['=?utf-8*en?Q?language?=', 'language'],
  ['=?utf-8?Q?spaces inside?=', 'spaces inside'],
  ['=?utf-8?X?unknown?= =?broken', '=?utf-8?X?unknown?= =?broken'],
  ['=?x-martian?Q?=E9?=', 'é'],
  ['=?utf-8?B?!!!?=', ''],
])('%s', (encoded, decoded) => {
  expect(decodeWords(encoded)).toBe(decoded);
});
