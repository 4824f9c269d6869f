import { expect, it } from '@jest/globals';
import { render, unknownVariables } from './render.ts';

const values = { number: '4711', subject: 'Lamp {{number}}', channel: 'email', brand: '' };

it.each([
  ['Your number is {{number}}.', 'Your number is 4711.'],
  ['{{ subject }} / {{number}}', 'Lamp {{number}} / 4711'],
  ['no place at all', 'no place at all'],
  ['{{brand}}!', '!'],
])('renders %j', (template, text) => {
  expect(render(template, values)).toBe(text);
});

it('names the variables that do not exist', () => {
  expect(unknownVariables('{{number}} {{naem}} {{__proto__}}')).toEqual(['naem', '__proto__']);
});
