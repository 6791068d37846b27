/// The version of the program, for `--version` and reports.
package let programVersion = "0.6.0"
