import { expect, it } from '@jest/globals';
import { chatConfiguration } from './configuration.ts';

const shop = { ref: 'shop', origins: ['https://shop.example', 'http://localhost:8080'], name: 'The Shop' };

it('is sites with their origins', () => {
  expect(chatConfiguration.parse({ sites: [shop] })).toEqual({ sites: [shop] });
  expect(chatConfiguration.parse({})).toEqual({ sites: [] });
});

it('says all faults at once', () => {
  const origins = ['https://shop.example/', 'shop.example', 'https://SHOP.example', '*', 'null', 'wss://shop.example', 'https://shop.example:443'];
  const { issues } = chatConfiguration.safeParse({
    sites: [
      { ref: 'Shop', origins },
      { ref: 'blog', origins: [], brand: 'x' },
    ],
  }).error!;
  expect(issues.map(({ path, message }) => `${path.join('.')}: ${message}`)).toEqual([
    ...origins.map((_, index) => `sites.0.origins.${index}: expected an origin, such as https://shop.example`),
    'sites.0.ref: expected lower-case letters, digits, - and _',
    'sites.1.origins: Too small: expected array to have >=1 items',
    'sites.1: Unrecognized key: "brand"',
  ]);
  expect(chatConfiguration.safeParse({ sites: [shop, shop] }).error!.issues).toMatchObject([
    { path: ['sites', 1, 'ref'], message: '"shop" stands here twice' },
  ]);
});
