/// The hardware and library that the bits of a run's float32 results depend on.
package struct Machine: Sendable, Codable, Equatable {
  /// The type of the processor; nil if the system does not report it.
  package let processor: String?
  /// The version, build options and kernels of the matrix library.
  package let library: String

  package init(processor: String?, library: String) {
    (self.processor, self.library) = (processor, library)
  }

  fileprivate var name: String { "\(processor ?? "a processor") with \(library)" }
}

extension CheckpointState {
  /// Records that the next steps are computed on `machine`.
  ///
  /// Returns a note for the log if the previous steps were computed on another kind of machine.
  package mutating func move(to machine: Machine) -> String? {
    defer { self.machine = machine }
    guard let before = self.machine, before != machine else { return nil }
    return
      "the run was computed on \(before.name) and is resumed on \(machine.name): from here on, the "
      + "last bits of its results may differ from a run on one kind of machine"
  }
}
