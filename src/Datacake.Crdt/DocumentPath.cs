using System.Text;
using System.Text.Unicode;

namespace Datacake.Crdt;

/// <summary>
/// Where in a document a cell is: the whole of a raw document, a property, an element of a set or dictionary, one writer's share of a
/// counter, or the note that a put asserts an older document again. A path is its encoding: two are equal when their bytes are, and order as their bytes do, so that the cells of one property
/// follow each other. Nested properties have the names of all levels, joined by dots.
/// </summary>
/// <remarks>
/// Encoding: nothing for the root; a zero byte for the note of an assertion, which so comes before all properties; else the kind, the length of the property's name, the name in UTF-8, and what the kind adds.
/// </remarks>
public readonly struct DocumentPath : IEquatable<DocumentPath>, IComparable<DocumentPath>
{
    /// <summary>The longest name of a property, in bytes of UTF-8.</summary>
    public const int MaxPropertyLength = 1_000;

    /// <summary>The longest element of a set or key of a dictionary, in encoded bytes.</summary>
    public const int MaxElementLength = 60_000;

    const int ShareSuffixLength = 2 * HlcTimestamp.Size;
    const byte AssertionCode = 0;

    // Names that are not proper Unicode would otherwise be encoded with replacement characters, and collide.
    static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Wraps an encoded path.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a path.</exception>
    public DocumentPath(ReadOnlyMemory<byte> encoded)
    {
        if (!IsValid(encoded.Span))
            throw Invalid(encoded.Span);
        Encoded = encoded;
    }

    DocumentPath(byte[] encoded) => Encoded = encoded;

    /// <summary>The whole of a raw document.</summary>
    public static DocumentPath Root => default;

    /// <summary>The note that a put asserts an older document again. No reader sees its value.</summary>
    public static DocumentPath Assertion { get; } = new([AssertionCode]);

    /// <summary>The encoded path.</summary>
    public ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>What the path leads to.</summary>
    public DocumentPathKind Kind => KindOf(Encoded.Span);

    /// <summary>The name of the property; empty for the root and for the note of an assertion.</summary>
    public string Property => Encoding.UTF8.GetString(PropertyOf(Encoded.Span));

    /// <summary>A property that is replaced as a whole.</summary>
    /// <exception cref="ArgumentException">The name is empty, too long or no proper Unicode.</exception>
    public static DocumentPath OfProperty(string property) => new(Encode(DocumentPathKind.Property, property, 0));

    /// <summary>An element of a set, or an entry of a dictionary, by its encoded bytes.</summary>
    /// <exception cref="ArgumentException">The name is empty, too long or no proper Unicode, or the element too long.</exception>
    public static DocumentPath OfElement(string property, ReadOnlySpan<byte> element)
    {
        if (element.Length > MaxElementLength)
        {
            throw new ArgumentException(
                $"An element of '{property}' has {element.Length} bytes; at most {MaxElementLength} are possible.", nameof(element));
        }
        byte[] path = Encode(DocumentPathKind.Element, property, element.Length);
        element.CopyTo(path.AsSpan(path.Length - element.Length));
        return new(path);
    }

    /// <summary>What the writer's run <paramref name="run"/> has added to a counter of the put <paramref name="born"/>.</summary>
    /// <exception cref="ArgumentException">The name is empty, too long or no proper Unicode.</exception>
    public static DocumentPath OfCounterShare(string property, HlcTimestamp born, HlcTimestamp run)
    {
        byte[] path = Encode(DocumentPathKind.CounterShare, property, ShareSuffixLength);
        born.Write(path.AsSpan(path.Length - ShareSuffixLength));
        run.Write(path.AsSpan(path.Length - HlcTimestamp.Size));
        return new(path);
    }

    /// <inheritdoc/>
    public bool Equals(DocumentPath other) => Encoded.Span.SequenceEqual(other.Encoded.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is DocumentPath path && Equals(path);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Encoded.Span);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public int CompareTo(DocumentPath other) => Encoded.Span.SequenceCompareTo(other.Encoded.Span);

    /// <summary>Whether two paths are equal.</summary>
    public static bool operator ==(DocumentPath left, DocumentPath right) => left.Equals(right);

    /// <summary>Whether two paths differ.</summary>
    public static bool operator !=(DocumentPath left, DocumentPath right) => !left.Equals(right);

    /// <summary>Whether one path comes before another.</summary>
    public static bool operator <(DocumentPath left, DocumentPath right) => left.CompareTo(right) < 0;

    /// <summary>Whether one path comes after another.</summary>
    public static bool operator >(DocumentPath left, DocumentPath right) => left.CompareTo(right) > 0;

    /// <summary>Whether one path does not come after another.</summary>
    public static bool operator <=(DocumentPath left, DocumentPath right) => left.CompareTo(right) <= 0;

    /// <summary>Whether one path does not come before another.</summary>
    public static bool operator >=(DocumentPath left, DocumentPath right) => left.CompareTo(right) >= 0;

    /// <inheritdoc/>
    public override string ToString() => Describe(Encoded.Span);

    internal static DocumentPathKind KindOf(ReadOnlySpan<byte> path) => path.IsEmpty ? DocumentPathKind.Root
        : path[0] == AssertionCode ? DocumentPathKind.Assertion
        : (DocumentPathKind)path[0];

    internal static ReadOnlySpan<byte> PropertyOf(ReadOnlySpan<byte> path) => HasProperty(path) ? Split(path, out _) : [];

    /// <summary>What the kind adds to the property: the element, or the two stamps of a counter's share.</summary>
    internal static ReadOnlySpan<byte> SuffixOf(ReadOnlySpan<byte> path)
    {
        if (!HasProperty(path))
            return [];
        Split(path, out var suffix);
        return suffix;
    }

    internal static HlcTimestamp ShareBorn(ReadOnlySpan<byte> path) => HlcTimestamp.Read(path[^ShareSuffixLength..]);

    internal static HlcTimestamp ShareRun(ReadOnlySpan<byte> path) => HlcTimestamp.Read(path[^HlcTimestamp.Size..]);

    internal static string Describe(ReadOnlySpan<byte> path)
    {
        string property = Encoding.UTF8.GetString(PropertyOf(path));
        return KindOf(path) switch
        {
            DocumentPathKind.Root => "[]",
            DocumentPathKind.Assertion => "[assertion]",
            DocumentPathKind.Property => $"[{property}]",
            DocumentPathKind.Element => $"[{property}, {Convert.ToHexString(SuffixOf(path))}]",
            _ => $"[{property}, {ShareBorn(path)}, {ShareRun(path)}]",
        };
    }

    internal static bool IsValid(ReadOnlySpan<byte> path)
    {
        if (!HasProperty(path))
            return path.Length <= 1;
        var suffix = path[1..];
        if (!EncodedInteger.TryRead(ref suffix, out uint length) || length is 0 or > MaxPropertyLength || length > (uint)suffix.Length
            || !Utf8.IsValid(EncodedInteger.Take(ref suffix, length)))
            return false;
        return (DocumentPathKind)path[0] switch
        {
            DocumentPathKind.Property => suffix.IsEmpty,
            DocumentPathKind.Element => suffix.Length <= MaxElementLength,
            DocumentPathKind.CounterShare => suffix.Length == ShareSuffixLength,
            _ => false,
        };
    }

    internal static InvalidDataException Invalid(ReadOnlySpan<byte> path) =>
        new($"The bytes {Convert.ToHexString(path[..Math.Min(path.Length, 32)])} are not a path in a document.");

    static bool HasProperty(ReadOnlySpan<byte> path) => !path.IsEmpty && path[0] != AssertionCode;

    static ReadOnlySpan<byte> Split(ReadOnlySpan<byte> path, out ReadOnlySpan<byte> suffix)
    {
        suffix = path[1..];
        return EncodedInteger.Take(ref suffix, EncodedInteger.Read(ref suffix));
    }

    static byte[] Encode(DocumentPathKind kind, string property, int suffixLength)
    {
        ArgumentException.ThrowIfNullOrEmpty(property);
        int length = StrictUtf8.GetByteCount(property);
        if (length > MaxPropertyLength)
        {
            throw new ArgumentException(
                $"The property '{property[..50]}…' has a name of {length} bytes; at most {MaxPropertyLength} are possible.",
                nameof(property));
        }
        var path = new byte[1 + EncodedInteger.SizeOf((uint)length) + length + suffixLength];
        path[0] = (byte)kind;
        int at = 1 + EncodedInteger.Write(path.AsSpan(1), (uint)length);
        StrictUtf8.GetBytes(property, path.AsSpan(at));
        return path;
    }
}
