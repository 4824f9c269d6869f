import { expect, it } from '@jest/globals';
import { notifyConfiguration, wordsFor } from './configuration.ts';

const configuration = notifyConfiguration.parse({
  acknowledgements: { email: { text: 'Hello', brands: { acme: { text: 'Hello from Acme' } } }, chat: { text: 'Hi' } },
});

it.each([
  ['email', undefined, 'Hello'],
  ['email', 'acme', 'Hello from Acme'],
  ['email', 'other', 'Hello'],
  ['chat', 'acme', 'Hi'],
  ['sms', 'acme', undefined],
  ['constructor', 'constructor', undefined],
  ['email', 'constructor', 'Hello'],
])('says on %s for %s: %s', (channel, brand, text) => {
  expect(wordsFor(configuration, channel, brand)?.text).toBe(text);
});

it('names every variable that does not exist', () => {
  const bad = notifyConfiguration.safeParse({ acknowledgements: { email: { subject: '{{naem}}', text: '{{nubmer}}', brands: { acme: { text: '{{x}}' } } } } });
  expect(bad.error!.issues.map(({ path }) => path.join('.'))).toEqual([
    'acknowledgements.email.subject',
    'acknowledgements.email.text',
    'acknowledgements.email.brands.acme.text',
  ]);
});
