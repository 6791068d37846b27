/// The version of the program, for `--version` and for what reports say of how they were made.
package let programVersion = "0.6.0"
