import Layers
import Tensors
import Testing

struct ArenaTests {
  /// Takes two tensors, releases the second and takes a third.
  @discardableResult
  private func take(_ arena: Arena) -> [Tensor] {
    let first = arena.tensor(3, 5)
    let mark = arena.used
    let second = arena.tensor(7, 7)
    arena.release(to: mark)
    let third = arena.tensor(2, 2)
    return [first, second, third]
  }

  @Test
  func tensorsBeginOnCacheLinesAndDoNotOverlap() {
    let arena = Arena(capacity: 200)
    let tensors = (1...5).map { arena.tensor($0, 3) }
    for (index, tensor) in tensors.enumerated() {
      #expect(UInt(bitPattern: tensor.base) % 64 == 0)
      tensor.fill(Float(index))
    }
    for (index, tensor) in tensors.enumerated() {
      #expect((0..<tensor.count).allSatisfy { tensor.base[$0] == Float(index) })
    }
  }

  /// The peak is 16 floats for 3 x 5 plus 64 for 7 x 7, which are released before 2 x 2 is taken.
  @Test
  func theMeasureIsTheMostThatIsHeldAtATime() {
    #expect(Arena.measure { take($0) } == 80)
    let tensors = take(Arena(capacity: 80))
    #expect(tensors[1].base == tensors[2].base)
  }

  @Test
  func anArenaThatIsTooSmallIsAMistakeOfTheProgram() async {
    await #expect(processExitsWith: .failure) {
      let arena = Arena(capacity: 79)
      _ = arena.tensor(3, 5)
      _ = arena.tensor(7, 7)
    }
  }

  @Test
  func theBoundOfAShapeHoldsForEverySplitIntoSequences() {
    for lengths in [[9], [3, 3, 3], [1, 8], [5, 2, 2], Array(repeating: 1, count: 9)] {
      var batch = Batch()
      for length in lengths {
        batch.append(
          tokens: Array(repeating: 1, count: length), segmentIDs: Array(repeating: 0, count: length)
        )
      }
      let shape = BatchShape(batch.ranges)
      let bound = BatchShape(tokens: 9, longest: 9)
      #expect((shape.tokens, shape.sequences) == (9, lengths.count))
      #expect(shape.longest == lengths.max() && shape.squares == lengths.reduce(0) { $0 + $1 * $1 })
      #expect(bound.tokens >= shape.tokens && bound.sequences >= shape.sequences)
      #expect(bound.longest >= shape.longest && bound.squares >= shape.squares)
    }
  }
}
