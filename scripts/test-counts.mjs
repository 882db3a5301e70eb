// Prints `tests: N passed, N failed, N skipped` from the test runner's JSON report, and fails if no test
// ran or the runner was not content for a reason that no single test shows (a file that didn't load).
import { readFileSync } from 'node:fs'

const [path = ''] = process.argv.slice(2)
const counts = read(path)
console.log(`tests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exitCode = counts.content && counts.passed > 0 ? 0 : 1

/** @param {string} path */
function read(path) {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'))
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests,
      skipped: report.numPendingTests + report.numTodoTests,
      content: report.success,
    }
  } catch {
    return { passed: 0, failed: 0, skipped: 0, content: false }
  }
}
