/** What npm run test:cuda writes down beside its figures, and which libtorch it builds against. */
import { execFileSync } from 'node:child_process';

/** The output of a program, or nothing where it does not run. */
function told(program, args, options = {}) {
  try {
    return execFileSync(program, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      ...options,
    }).trim();
  } catch {
    return '';
  }
}

/** The device that CUDA calls the first. */
const device = (process.env.CUDA_VISIBLE_DEVICES ?? '0').split(',')[0];
const query = (field) =>
  told('nvidia-smi', ['-i', device, `--query-gpu=${field}`, '--format=csv,noheader,nounits']);

/** Of the whole device, by all processes; NaN where nvidia-smi does not tell. */
export const memoryUsedMiB = () => Number.parseInt(query('memory.used'), 10);

export function gpuFacts(root) {
  return {
    date: new Date().toISOString(),
    commit: told('git', ['rev-parse', 'HEAD'], { cwd: root }),
    changed: told('git', ['status', '--porcelain'], { cwd: root }) !== '',
    driver: query('driver_version'),
    nvcc: told('nvcc', ['--version']).match(/release ([\d.]+)/)?.[1] ?? '',
  };
}

/** Without importing torch, which takes seconds. */
const whereTorchIs = `
import importlib.util, os
spec = importlib.util.find_spec("torch")
folder = os.path.dirname(spec.origin) if spec and spec.origin else ""
print(folder)
print(open(os.path.join(folder, "version.py")).read() if folder else "")`;

/** The torch of that Python, where opset torch can be built against it: 2.11 or later, with CUDA. */
export function torchForCuda(python) {
  const [folder, ...lines] = told(python, ['-c', whereTorchIs]).split('\n');
  if (!folder) return { problem: `${python} has no torch` };
  const text = lines.join('\n');
  const version = text.match(/__version__ = '([^']+)'/)?.[1] ?? '';
  const [major, minor] = version.split('.').map(Number);
  if (!/^cuda\b.*= '\d/m.test(text)) return { problem: `torch ${version} is not for CUDA` };
  if (!(major > 2 || (major === 2 && minor >= 11))) return { problem: `torch ${version} is older than 2.11` };
  return { folder, version };
}
