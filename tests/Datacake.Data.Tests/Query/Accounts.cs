using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;
using System.Net;
using Datacake.Data.Tests.Shop;
using Datacake.Node;

namespace Datacake.Data.Tests.Query;

/// <summary>An email address whose comparison ignores case.</summary>
public sealed class Email(string text) : IEquatable<Email>
{
    public string Text { get; } = text;

    public static bool operator ==(Email? left, Email? right) => left is null ? right is null : left.Equals(right);

    public static bool operator !=(Email? left, Email? right) => !(left == right);

    public bool Equals(Email? other) => string.Equals(Text, other?.Text, StringComparison.OrdinalIgnoreCase);

    public override bool Equals(object? obj) => Equals(obj as Email);

    public override int GetHashCode() => Text.GetHashCode(StringComparison.OrdinalIgnoreCase);
}

public sealed class EmailConverter() : ValueConverter<Email, string>(email => email.Text, text => new Email(text));

public sealed class AddressConverter() : ValueConverter<IPAddress, string>(address => address.ToString(), text => IPAddress.Parse(text));

/// <summary>A percentage that is stored in steps of ten, so that different values have the same stored value.</summary>
public readonly record struct Share(int Percent);

public sealed class ShareConverter() : ValueConverter<Share, int>(share => share.Percent / 10, tenths => new Share(tenths * 10));

/// <summary>An entity with two properties of each type, one with an index and one without.</summary>
public sealed class Account
{
    [DatabaseGenerated(DatabaseGeneratedOption.None)] public long Id { get; set; }
    [Converter<EmailConverter>] public Email? Email { get; set; }
    [Index, Converter<EmailConverter>] public Email? IndexedEmail { get; set; }
    [Converter<AddressConverter>] public IPAddress? Address { get; set; }
    [Index, Converter<AddressConverter>] public IPAddress? IndexedAddress { get; set; }
    [Converter<ShareConverter>] public Share? Share { get; set; }
    [Index, Converter<ShareConverter>] public Share? IndexedShare { get; set; }
    public byte[]? Photo { get; set; }
    [Index] public byte[]? IndexedPhoto { get; set; }
    public HashSet<byte[]> Keys { get; set; } = [];
    [Index] public HashSet<byte[]> IndexedKeys { get; set; } = [];
    public SortedSet<string> Names { get; set; } = [];
    [Index] public SortedSet<string> IndexedNames { get; set; } = [];
    [Ignore] public Account? Owner { get; set; }
    public long? OwnerId { get; set; }
}

/// <summary>A link between two rows that can be looked up from either side.</summary>
[Index(nameof(Text), nameof(Right), IsDescending = [false, true])]
public sealed class Link
{
    [Key] public long Left { get; set; }
    [Key, Index] public long Right { get; set; }
    public string Text { get; set; } = "";
    [Ignore] public Account? Account { get; set; }
}

/// <summary>An entity whose composite key has parts of every kind. Every part except the first has its own index.</summary>
[Index(nameof(Day), nameof(Name), AllDescending = true)]
public sealed class Entry
{
    [Key] public string Name { get; set; } = "";
    [Key, Index] public Guid Owner { get; set; }
    [Key, Index] public DateOnly Day { get; set; }
    [Key, Index] public Status Status { get; set; }
    [Key, Index, Converter<ShareConverter>] public Share Share { get; set; }
    [Key, Index] public string Tag { get; set; } = "";
    [Key, Index] public ulong Number { get; set; }

    public override string ToString() => $"{Name} {Owner} {Day} {Status} {Share} {Tag} {Number}";
}

public sealed partial class AccountContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("accounts")]
    public partial Keyspace<Account> Accounts { get; }

    [Keyspace("links")]
    public partial Keyspace<Link> Links { get; }

    [Keyspace("entries")]
    public partial Keyspace<Entry> Entries { get; }
}
