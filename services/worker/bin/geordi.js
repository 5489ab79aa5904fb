#!/usr/bin/env node
// In the repository as it is: npm links the command when it installs, which is before anything is built.
import '../dist/src/cli.js'
