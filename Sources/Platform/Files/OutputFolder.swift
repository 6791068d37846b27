/// A new folder for what a verb makes. Unfinished folders of jobs that may be at work on other computers
/// are reported.
package func makeFolder(_ output: String) throws -> AtomicFolder {
  let folder = try AtomicFolder(output, fault: FaultInjection.hook)
  for leftover in folder.leftovers {
    standardError(
      "electra: note: \(leftover) was begun on another computer or before this one was restarted; "
        + "remove it if no job is writing it\n")
  }
  return folder
}
