/** A reporter of vitest for npm test: writes {passed, failed, skipped, failures: [{where, says}]} to --outputFile.count. Beside
 *  tests that failed it knows files that do not load, hooks that failed and errors that no test was waiting for. */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

export default class CountReporter {
  onInit({ config }) {
    this.root = config.root;
    this.path = config.outputFile.count;
  }

  onTestRunEnd(modules, unhandled) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const states = tests.map((test) => test.result().state);
    const failures = [
      ...tests
        .filter((test) => test.result().state === 'failed')
        .map((test) => this.told(test, test.result().errors)),
      ...modules
        .flatMap((module) => [module, ...module.children.allSuites()])
        .filter((group) => group.errors().length > 0)
        .map((group) => this.told(group, group.errors())),
      ...unhandled.map((error) => ({ where: this.blamed(error, modules), says: this.sentence(error) })),
    ];
    const passed = states.filter((state) => state === 'passed').length;
    const skipped = tests.length - passed - states.filter((state) => state === 'failed').length;
    writeFileSync(this.path, JSON.stringify({ passed, failed: failures.length, skipped, failures }));
  }

  /** entry: a test, a suite or a module */
  told(entry, errors) {
    const file = (entry.module ?? entry).relativeModuleId;
    return {
      where: entry.fullName === undefined || entry.type === 'module' ? file : `${file} > ${entry.fullName}`,
      says: errors.map((error) => this.sentence(error)).join('\n'),
    };
  }

  /** What ran when nobody caught it: the last test, or the files that a dead worker did not end. */
  blamed({ VITEST_TEST_PATH: path, VITEST_TEST_NAME: test }, modules) {
    if (path !== undefined) return `${relative(this.root, path)} > ${test ?? 'no test'} (nobody caught it)`;
    const open = modules.filter((module) => ['queued', 'pending'].includes(module.state()));
    return `${open.map((module) => module.relativeModuleId).join(', ') || 'vitest'} (not ended)`;
  }

  sentence({ name, message, cause, stacks = [] }) {
    const [at] = stacks;
    if (cause?.message !== undefined) message += `\nCaused by: ${cause.message}`;
    const place = at === undefined ? '' : `\nat ${relative(this.root, at.file)}:${at.line}`;
    return `${name ?? 'Error'}: ${message}${place}`;
  }
}
