using System.Text;
using System.Text.Unicode;

namespace Datacake.Crdt;

/// <summary>
/// The path of a cell in a document. It leads to the whole value of a raw document, a property, an element of a set or dictionary, one
/// writer's share of a counter, or the note of an assertion. Paths compare as their encoded bytes do, so the cells of one property are
/// adjacent. The name of a nested property consists of the names of all levels, joined by dots.
/// </summary>
/// <remarks>
/// Encoding: no bytes for the root; a zero byte for the note of an assertion, which therefore precedes all properties; otherwise the
/// kind, the length of the property's name, the name in UTF-8, and the suffix that the kind adds.
/// </remarks>
public readonly struct DocumentPath : IEquatable<DocumentPath>, IComparable<DocumentPath>
{
    /// <summary>The maximum length of a property's name in bytes of UTF-8.</summary>
    public const int MaxPropertyLength = 1_000;

    /// <summary>The maximum length of an element of a set or a key of a dictionary in encoded bytes.</summary>
    public const int MaxElementLength = 60_000;

    const int ShareSuffixLength = 2 * HlcTimestamp.Size;
    const byte AssertionCode = 0;

    // Otherwise, names that are not valid Unicode would be encoded with replacement characters, and different names could collide.
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

    /// <summary>Gets the path of the whole value of a raw document.</summary>
    public static DocumentPath Root => default;

    /// <summary>Gets the path of the note of an assertion. See <see cref="DocumentPathKind.Assertion"/>.</summary>
    public static DocumentPath Assertion { get; } = new([AssertionCode]);

    /// <summary>Gets the encoded path.</summary>
    public ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>Gets the kind of the path.</summary>
    public DocumentPathKind Kind => KindOf(Encoded.Span);

    /// <summary>Gets the name of the property; empty for the root and for the note of an assertion.</summary>
    public string Property => Encoding.UTF8.GetString(PropertyOf(Encoded.Span));

    /// <summary>Returns the path of a property that is replaced as a whole.</summary>
    /// <exception cref="ArgumentException">The name is empty, too long or not valid Unicode.</exception>
    public static DocumentPath OfProperty(string property) => new(Encode(DocumentPathKind.Property, property, 0));

    /// <summary>Returns the path of an element of a set or an entry of a dictionary.</summary>
    /// <param name="property">The name of the set or dictionary.</param>
    /// <param name="element">The encoded element, or the encoded key of the entry.</param>
    /// <exception cref="ArgumentException">The name is empty, too long or not valid Unicode, or the element is too long.</exception>
    public static DocumentPath OfElement(string property, ReadOnlySpan<byte> element)
    {
        if (element.Length > MaxElementLength)
        {
            throw new ArgumentException(
                $"An element of '{property}' has {element.Length} bytes. The limit is {MaxElementLength}.", nameof(element));
        }
        byte[] path = Encode(DocumentPathKind.Element, property, element.Length);
        element.CopyTo(path.AsSpan(path.Length - element.Length));
        return new(path);
    }

    /// <summary>Returns the path of one writer's share of a counter: the total that the writer has added during one of its runs.</summary>
    /// <param name="property">The name of the counter.</param>
    /// <param name="born">The stamp of the put that the counter belongs to.</param>
    /// <param name="run">The run of the writer.</param>
    /// <exception cref="ArgumentException">The name is empty, too long or not valid Unicode.</exception>
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

    /// <summary>Returns true if two paths are equal.</summary>
    public static bool operator ==(DocumentPath left, DocumentPath right) => left.Equals(right);

    /// <summary>Returns true if two paths differ.</summary>
    public static bool operator !=(DocumentPath left, DocumentPath right) => !left.Equals(right);

    /// <summary>Returns true if the left path precedes the right one.</summary>
    public static bool operator <(DocumentPath left, DocumentPath right) => left.CompareTo(right) < 0;

    /// <summary>Returns true if the left path follows the right one.</summary>
    public static bool operator >(DocumentPath left, DocumentPath right) => left.CompareTo(right) > 0;

    /// <summary>Returns true if the left path precedes or equals the right one.</summary>
    public static bool operator <=(DocumentPath left, DocumentPath right) => left.CompareTo(right) <= 0;

    /// <summary>Returns true if the left path follows or equals the right one.</summary>
    public static bool operator >=(DocumentPath left, DocumentPath right) => left.CompareTo(right) >= 0;

    /// <inheritdoc/>
    public override string ToString() => Describe(Encoded.Span);

    internal static DocumentPathKind KindOf(ReadOnlySpan<byte> path) => path.IsEmpty ? DocumentPathKind.Root
        : path[0] == AssertionCode ? DocumentPathKind.Assertion
        : (DocumentPathKind)path[0];

    internal static ReadOnlySpan<byte> PropertyOf(ReadOnlySpan<byte> path) => HasProperty(path) ? Split(path, out _) : [];

    /// <summary>Returns the bytes after the property: the element, or the two stamps of a counter share.</summary>
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
                $"The name of the property '{property[..50]}…' has {length} bytes. The limit is {MaxPropertyLength}.",
                nameof(property));
        }
        var path = new byte[1 + EncodedInteger.SizeOf((uint)length) + length + suffixLength];
        path[0] = (byte)kind;
        int at = 1 + EncodedInteger.Write(path.AsSpan(1), (uint)length);
        StrictUtf8.GetBytes(property, path.AsSpan(at));
        return path;
    }
}
