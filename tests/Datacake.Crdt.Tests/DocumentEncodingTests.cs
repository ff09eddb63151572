using CsCheck;

namespace Datacake.Crdt.Tests;

public class DocumentEncodingTests
{
    [Fact]
    public void A_parsed_document_equals_the_encoded_one() => Generate.AnyDocument.Sample(document =>
    {
        var parsed = Document.Parse(document.Encoded.ToArray());
        Assert.Equal(document, parsed);
        Assert.Equal(document.GetHashCode(), parsed.GetHashCode());
        Assert.Equal(document.ToString(), parsed.ToString());
        Assert.Equal((document.Born, document.Touched, document.Died, document.Expires, document.IsLapsed), (parsed.Born, parsed.Touched, parsed.Died, parsed.Expires, parsed.IsLapsed));
    }, iter: 2_000);

    [Fact]
    public void Equal_states_have_equal_bytes() => Gen.Select(Generate.AnyDocument, Generate.AnyDocument).Sample((a, b) =>
        (StateOf(a) == StateOf(b)) == a.Encoded.Span.SequenceEqual(b.Encoded.Span), iter: 5_000);

    [Fact]
    public void Equal_states_have_equal_bytes_regardless_of_history() =>
        Gen.Select(Generate.AnyDocument, Generate.AnyDocument).Sample((a, b) =>
        {
            // The merge rewrites all bytes, from states that imply stamps other than those of the result.
            var merged = Document.Merge(a, b);
            return Document.Merge(Document.Merge(merged, a), Document.Merge(b, merged)).Encoded.Span.SequenceEqual(merged.Encoded.Span);
        }, iter: 2_000);

    [Fact]
    public void Random_bytes_are_refused_or_decode_to_a_document() =>
        Gen.OneOf(Gen.Byte.Array[0, 40], Gen.Byte[0, 9].Array[0, 40].Select(bytes => (byte[])[1, .. bytes]))
            .Sample(AssertRefusedOrCanonical, iter: 50_000);

    [Fact]
    public void Damaged_documents_are_refused_or_decode_to_another_document() =>
        Generate.Damaged(Generate.AnyDocument.Select(document => document.Encoded.ToArray()))
            .Sample(AssertRefusedOrCanonical, iter: 50_000);

    [Fact]
    public void Every_truncation_is_refused_or_decodes_to_a_shorter_document() => Generate.AnyDocument.Sample(document =>
    {
        for (int length = 0; length < document.Encoded.Length; length++)
            AssertRefusedOrCanonical(document.Encoded[..length].ToArray());
    }, iter: 300);

    [Fact]
    public void Values_found_by_their_path_are_those_of_the_cells() => Gen.Select(Generate.AnyDocument, Generate.Path).Sample((document, path) =>
    {
        byte[] sought = path.Encoded.ToArray();
        bool isFound = DocumentView.ParseHeader(document.Encoded.Span).TryGetValue(sought, out var value);
        Assert.Equal(document.TryGetCell(sought, out var cell) && !cell.IsRemoved, isFound);
        Assert.Equal(isFound ? cell.Value.ToArray() : [], value.ToArray());
    }, iter: 5_000);

    [Fact]
    public void Values_of_damaged_documents_are_not_found_or_within_the_document() =>
        Gen.Select(Generate.Damaged(Generate.AnyDocument.Select(document => document.Encoded.ToArray())), Generate.Path).Sample((bytes, path) =>
        {
            try
            {
                if (DocumentView.ParseHeader(bytes).TryGetValue(path.Encoded.Span, out var value))
                    Assert.True(value.IsEmpty || ((ReadOnlySpan<byte>)bytes).Overlaps(value));
            }
            catch (InvalidDataException)
            {
                // The header is damaged.
            }
        }, iter: 20_000);

    [Fact]
    public void A_document_of_a_newer_format_is_refused_by_name()
    {
        var error = Assert.Throws<InvalidDataException>(() => Document.Parse(new byte[] { 2, 0 }));
        Assert.Contains("format 2", error.Message, StringComparison.Ordinal);
        Assert.Contains("Update the library.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "no header")]
    [InlineData("01", "half a header")]
    [InlineData("0120", "unknown flags in the header")]
    [InlineData("0108" + "0000000100000001", "an expiry without a put")]
    [InlineData("0111" + "0000000100000001", "an expired put without an expiry")]
    [InlineData("0119" + "0000000100000001" + "0000000200000000" + "020000", "a cell of an expired put")]
    [InlineData("01010000000000000000", "a stamp that is zero")]
    [InlineData("0100000000000000000010000100", "a cell without put or update")]
    [InlineData("01010000000100000001" + "800000", "an unknown flag of a cell")]
    [InlineData("01010000000100000001" + "060000", "both implied stamps")]
    [InlineData("01010000000100000001" + "0000000000010000000100", "a stamp spelled out that can be implied")]
    [InlineData("01010000000100000001" + "0000000000020000000100", "a cell newer than the newest put and update")]
    [InlineData("01010000000100000001" + "0000000000000000000100", "a cell older than the put")]
    [InlineData("01010000000100000001" + "02800000", "a length with a needless byte")]
    [InlineData("01010000000100000001" + "020000" + "020000", "a path twice")]
    [InlineData("01010000000100000001" + "02030101" + "6200" + "02030101" + "6100", "paths in descending order")]
    [InlineData("01010000000100000001" + "0203010100" + "01", "a value that ends too soon")]
    [InlineData("01010000000100000001" + "02030101FF00", "a name that is not UTF-8")]
    [InlineData("01010000000100000001" + "0202010000", "an empty name")]
    [InlineData("01010000000100000001" + "020401016161" + "00", "a property with a suffix")]
    [InlineData("01010000000100000001" + "0204030161" + "0000", "a counter's share without its stamps")]
    [InlineData("01010000000100000001" + "0203040161" + "00", "an unknown kind of path")]
    [InlineData("01010000000100000001" + "0213030161" + "00000001000000010000000100000001" + "01D3", "a counter's share that is no number")]
    public void Impossible_bytes_are_refused(string bytes, string because)
    {
        Assert.NotEmpty(because);
        Assert.Throws<InvalidDataException>(() => Document.Parse(Convert.FromHexString(bytes)));
    }

    [Fact]
    public void The_encoding_of_a_raw_document_is_as_documented()
    {
        var document = Document.Put(new HlcTimestamp(1, 2, 3, 4), DocumentContent.OfRaw([0xAA, 0xBB]));
        Assert.Equal("01" + "01" + "0000000102000304" + "02" + "00" + "02AABB", Convert.ToHexString(document.Encoded.Span));
    }

    [Fact]
    public void The_encoding_of_an_expiry_is_as_documented()
    {
        var document = Document.Put(new HlcTimestamp(1, 2, 3, 4), DocumentContent.OfRaw([0xAA]), new HlcTimestamp(9, 0, 0, 0));
        Assert.Equal("01" + "09" + "0000000102000304" + "0000000900000000" + "02" + "00" + "01AA", Convert.ToHexString(document.Encoded.Span));
        Assert.Equal("01" + "19" + "0000000102000304" + "0000000900000000", Convert.ToHexString(document.Lapse().Encoded.Span));
    }

    [Fact]
    public void The_encoding_of_merged_properties_is_as_documented()
    {
        var document = Document.Merge(
            Document.Put(
                new HlcTimestamp(1), Generate.ContentOf([(DocumentPath.OfProperty("A"), [0x01]), (DocumentPath.OfProperty("B"), [0x02])])),
            Document.Merge(
                Document.Update(new HlcTimestamp(2), Generate.ContentOf([(DocumentPath.OfElement("C", [0xCC]), [0x03])])),
                Document.Merge(
                    Document.Update(new HlcTimestamp(3), Generate.ContentOf([(DocumentPath.OfProperty("B"), null)])),
                    Document.Delete(new HlcTimestamp(4)))));
        Assert.Equal(
            "01" + "07" + "0000000000000001" + "0000000000000003" + "0000000000000004"
            + "02" + "03" + "010141" + "01" + "01"
            + "05" + "03" + "010142"
            + "00" + "04" + "020143CC" + "0000000000000002" + "01" + "03",
            Convert.ToHexString(document.Encoded.Span));
    }

    static void AssertRefusedOrCanonical(byte[] bytes)
    {
        Document document;
        try
        {
            document = Document.Parse(bytes);
        }
        catch (InvalidDataException)
        {
            return;
        }
        // Parses a copy, since merging an instance with itself writes nothing.
        var written = Document.Merge(document, Document.Parse(bytes.ToArray()));
        Assert.Equal(bytes, written.Encoded.ToArray());
        Assert.NotEmpty(document.ToString());
        Assert.True(Document.Merge(document, Document.Nothing).Newest == document.Newest);
    }

    /// <summary>Returns everything that the public API tells about a document.</summary>
    static string StateOf(Document document)
    {
        string state = $"{document.Born.Packed} {document.Touched.Packed} {document.Died.Packed} {document.Expires.Packed} {document.IsLapsed}";
        foreach (var cell in document.Cells)
        {
            state += $"; {Convert.ToHexString(cell.EncodedPath)} {cell.Stamp.Packed} {cell.IsRemoved} {Convert.ToHexString(cell.Value)}";
            state += $" {cell.Kind} {Convert.ToHexString(cell.Property)} {Convert.ToHexString(cell.Element)}";
            state += $" {cell.ShareBorn} {cell.ShareRun}";
        }
        return state;
    }
}
