// Reads one simulation a line, writes its answer a line. Only used by tests; nothing of it is shipped.
import { createInterface } from 'node:readline'
import { createRequire } from 'node:module'

const require = createRequire(process.argv[2] + '/')
const { runSimulation, runUnsafeSimulation } = require('@cloud-copilot/iam-simulate')

for await (const line of createInterface({ input: process.stdin })) {
  let answer
  try {
    const simulation = JSON.parse(line)
    if (simulation.resourcePolicy || simulation.sessionPolicy || simulation.resourceControlPolicies.length) {
      // The quick form (0.1.173) cannot take a resource policy (it has no name there), does not look at
      // session policies, and leaves out what hangs on every level of resource control policies.
      const found = await runSimulation(simulation, {})
      answer = found.overallResult ?? 'error: ' + JSON.stringify(found.errors).slice(0, 300)
    } else {
      answer = runUnsafeSimulation(simulation, {})
    }
  } catch (error) {
    answer = 'error: ' + String(error).slice(0, 200)
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
