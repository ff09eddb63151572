using CsCheck;

namespace Datacake.Crdt.Tests;

public class DocumentPathTests
{
    [Fact]
    public void A_path_is_its_encoding() => Gen.Select(Generate.Path, Generate.Path).Sample((a, b) =>
    {
        Assert.Equal(a, new DocumentPath(a.Encoded.ToArray()));
        Assert.Equal(a == b, a.Encoded.Span.SequenceEqual(b.Encoded.Span));
        Assert.Equal(a == b, a.ToString() == b.ToString());
        Assert.Equal(a < b, a.Encoded.Span.SequenceCompareTo(b.Encoded.Span) < 0);
    });

    [Fact]
    public void The_encoding_is_as_documented()
    {
        Assert.Empty(DocumentPath.Root.Encoded.ToArray());
        Assert.Equal("0103426F78", Convert.ToHexString(DocumentPath.OfProperty("Box").Encoded.Span));
        Assert.Equal("0203426F78FF00", Convert.ToHexString(DocumentPath.OfElement("Box", [0xFF, 0x00]).Encoded.Span));
        Assert.Equal(
            "0303426F78" + "0000000000000102" + "0000000000000304",
            Convert.ToHexString(DocumentPath.OfCounterShare("Box", new HlcTimestamp(0x0102), new HlcTimestamp(0x0304)).Encoded.Span));
    }

    [Fact]
    public void Names_and_elements_that_are_empty_too_long_or_invalid_Unicode_are_refused()
    {
        Assert.Throws<ArgumentException>(() => DocumentPath.OfProperty(""));
        Assert.Throws<ArgumentException>(() => DocumentPath.OfProperty(new string('x', DocumentPath.MaxPropertyLength + 1)));
        Assert.ThrowsAny<ArgumentException>(() => DocumentPath.OfProperty("half a pair \uD800"));
        Assert.Throws<ArgumentException>(() => DocumentPath.OfElement("Tags", new byte[DocumentPath.MaxElementLength + 1]));

        string longest = new('x', DocumentPath.MaxPropertyLength);
        Assert.Equal(longest, DocumentPath.OfProperty(longest).Property);
        var largest = DocumentPath.OfElement("Tags", new byte[DocumentPath.MaxElementLength]);
        Assert.Equal(DocumentPathKind.Element, new DocumentPath(largest.Encoded).Kind);
    }

    [Fact]
    public void The_note_of_an_assertion_is_never_shown_and_sorts_before_all_properties()
    {
        var stamp = new HlcTimestamp(1 << 8 | 1);
        var content = new DocumentContentBuilder();
        content.Set(DocumentPath.OfProperty("Name").Encoded.Span, [1]);
        content.Set(DocumentPath.Assertion.Encoded.Span, [2]);
        var cells = Document.Put(stamp, content.Build()).Cells;
        Assert.True(cells.MoveNext());
        Assert.Equal(DocumentPathKind.Assertion, cells.Current.Kind);
        Assert.False(cells.Current.IsShown(stamp));
        Assert.Throws<InvalidDataException>(() => new DocumentPath(new byte[] { 0, 0 }));
    }

    [Fact]
    public void Damaged_paths_are_refused_or_decode_to_another_path() =>
        Generate.Damaged(Generate.Path.Select(path => path.Encoded.ToArray())).Sample(bytes =>
        {
            try
            {
                var path = new DocumentPath(bytes);
                Assert.NotEmpty(path.ToString());
                Assert.Equal(path.Kind is DocumentPathKind.Root or DocumentPathKind.Assertion, path.Property.Length == 0);
            }
            catch (InvalidDataException)
            {
            }
        }, iter: 20_000);
}
