/** The one set of SWC options that Jest, the loader and the bundles share. TypeORM and Nest read the decorator metadata. */
export const swc = () => ({
  swcrc: false,
  module: { type: 'es6' },
  jsc: {
    target: 'es2022',
    keepClassNames: true,
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
  },
});
