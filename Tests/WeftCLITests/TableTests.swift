import Testing

@testable import WeftCLI

@Suite struct TableTests {
    private let columns: [Table.Column] = [.text("NAME"), .number("SIZE"), .text("NOTE", isOptional: true)]

    @Test("Columns line up by what a terminal shows, numbers to the right, and no line ends in spaces")
    func alignment() {
        let table = Table(columns, rows: [["東京", "1", nil], ["a", "1000", "x"], ["cafe\u{301}", nil, nil]])
        #expect(table.rendered(.plain) == "NAME  SIZE  NOTE\n東京     1  -\na     1000  x\ncafe\u{301}     -  -\n")
    }

    @Test("A column in which nothing stands goes, if it may")
    func optionalColumn() {
        #expect(Table(columns, rows: [["a", "1", nil]]).rendered(.plain) == "NAME  SIZE\na        1\n")
    }

    @Test("Rows fit the terminal as long as a name can give way", arguments: [24, 30, 40, 50, 200])
    func fitting(_ width: Int) {
        let name = String(repeating: "n", count: 60)
        let table = Table(columns, rows: [[name, "12345678", "short"], ["b", "1", nil]])
        let lines = table.rendered(Style(hasColour: false, hasUnicode: true, columns: width)).split(separator: "\n")
        #expect(lines.count == 3)
        // The narrowest: 10 for the name, 8, 5 and the gaps.
        #expect(lines.allSatisfy { displayWidth(String($0)) <= max(width, 27) })
    }

    @Test("A cell of a million characters does not widen the others without end")
    func hugeCell() {
        let table = Table(columns, rows: [[String(repeating: "x", count: 1_000_000), "1", nil], ["b", "2", nil]])
        let lines = table.rendered(.plain).split(separator: "\n")
        #expect(lines.map(\.count) == [262, 262, 262])
    }

    @Test("A cell's colour is around its text, not its padding, and does not count as width")
    func tints() {
        let columns: [Table.Column] = [.word("STATE") { $0 == 0 ? .good : nil }, .number("N") { _ in .failed }]
        let text = Table(columns, rows: [["up", "1"], ["down", "10"]])
            .rendered(Style(hasColour: true, hasUnicode: true, columns: 40))
        #expect(
            text.replacing("\u{1b}", with: "~")
                == "~[1mSTATE   N~[0m\n~[32mup~[0m      ~[31m1~[0m\ndown   ~[31m10~[0m\n"
        )
    }

    @Test("Line breaks and escapes in a cell stay in its row")
    func hostileCell() {
        let text = Table([.text("A"), .text("B")], rows: [["x\ny\u{1b}[0m", "z"]]).rendered(.plain)
        #expect(text == "A        B\nx y\u{fffd}[0m  z\n")
    }
}
