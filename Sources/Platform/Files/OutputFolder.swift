/// Prepares a new output folder of a subcommand.
///
/// It prints a note for each unfinished folder of the same output that may belong to a job on
/// another computer. Throws like `AtomicFolder.init`.
package func makeFolder(_ output: String) throws -> AtomicFolder {
  let folder = try AtomicFolder(output, fault: FaultInjection.hook)
  for leftover in folder.leftovers {
    warn(
      "note: \(leftover) was started on another computer or before this one was rebooted; "
        + "remove it if no job is writing to it")
  }
  return folder
}
