/// What the bits of float32 depend on beside a run's configuration.
package struct Machine: Sendable, Codable, Equatable {
  /// The type of the processor; nil where the system does not say.
  package let processor: String?
  /// Version, options and kernels of the matrix library.
  package let library: String

  package init(processor: String?, library: String) {
    (self.processor, self.library) = (processor, library)
  }

  fileprivate var name: String { "\(processor ?? "a processor") with \(library)" }
}

extension CheckpointState {
  /// Records that the next steps are computed on `machine`. Returns a note when those so far were computed
  /// on another kind.
  package mutating func move(to machine: Machine) -> String? {
    defer { self.machine = machine }
    guard let before = self.machine, before != machine else { return nil }
    return
      "the run was computed on \(before.name) and is resumed on \(machine.name): from here the "
      + "last bits of its numbers can differ from those of a run that stays on one kind of machine"
  }
}
