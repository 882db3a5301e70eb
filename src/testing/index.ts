/**
 * For tests: an app whose handlers run when the test says so, and the suites that every backend passes.
 *
 * @packageDocumentation
 */
export { type Enqueued, type TestApp, type TestAppOptions, testApp } from './app.ts'
/** Plain builders of what goes over the seam: jobs, flows, outcomes. */
export * as seam from './conformance/build.ts'
export { type SeamSuite, seamConformance } from './conformance/index.ts'
export { type AppSuite, appConformance } from './contract/index.ts'
export { type Call, type Fault, faulty, type Plan, type Verb } from './faulty.ts'
