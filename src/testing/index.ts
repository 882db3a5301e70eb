/**
 * For tests: an app whose handlers run when the test says so, and the suites that every backend passes.
 *
 * @packageDocumentation
 */
export { type Enqueued, type TestApp, type TestAppOptions, testApp } from './app.ts'
export { type SeamSuite, seamConformance } from './conformance/index.ts'
