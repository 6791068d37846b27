import Foundation
import FoundationXML

/// The elements of an XML document with their attributes and text.
package final class Elements: NSObject, XMLParserDelegate {
  /// The number of elements by name.
  package private(set) var counts: [String: Int] = [:]
  package private(set) var attributes: [(name: String, values: [String: String])] = []
  /// All text, in document order.
  package private(set) var text = ""

  /// Parses `xml`; nil if it is not well-formed.
  package init?(_ xml: String) {
    super.init()
    let parser = XMLParser(data: Data(xml.utf8))
    parser.delegate = self
    if !parser.parse() { return nil }
  }

  package func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    counts[name, default: 0] += 1
    self.attributes.append((name, attributes))
  }

  package func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
}
