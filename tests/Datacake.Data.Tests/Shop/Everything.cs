using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;
using System.Diagnostics.CodeAnalysis;

namespace Datacake.Data.Tests.Shop;

public enum Status
{
    Draft,
    Active,
    Retired = 100,
}

[Flags]
public enum Rights : ulong
{
    None = 0,
    Read = 1,
    All = ulong.MaxValue,
}

/// <summary>An entity with a property of every type and kind.</summary>
[Index(nameof(Status), nameof(Int32))]
[Index(nameof(NullableStatus), nameof(DateOnly), IsDescending = [false, true])]
[Index(nameof(Byte), nameof(NullableString), AllDescending = true)]
[SuppressMessage("Naming", "CA1720:Identifier contains type name", Justification = "Each property is named after its type.")]
public class Everything
{
    public Guid Id { get; set; }
    public bool Boolean { get; set; }
    public byte Byte { get; set; }
    public sbyte SByte { get; set; }
    public short Int16 { get; set; }
    public ushort UInt16 { get; set; }
    [Index] public int Int32 { get; set; }
    public uint UInt32 { get; set; }
    public long Int64 { get; set; }
    public ulong UInt64 { get; set; }
    public char Char { get; set; }
    public float Single { get; set; }
    [Index] public double Double { get; set; }
    [Index] public decimal Decimal { get; set; }
    public string String { get; set; } = "";
    public Guid Guid { get; set; }
    [Index] public DateTime DateTime { get; set; }
    [Index] public DateTimeOffset DateTimeOffset { get; set; }
    [Index] public DateOnly DateOnly { get; set; }
    public TimeOnly TimeOnly { get; set; }
    public TimeSpan TimeSpan { get; set; }
    [Index] public byte[] Bytes { get; set; } = [];
    public Status Status { get; set; }
    public Rights Rights { get; set; }

    public bool? NullableBoolean { get; set; }
    [Index] public int? NullableInt32 { get; set; }
    public decimal? NullableDecimal { get; set; }
    public DateTime? NullableDateTime { get; set; }
    [Index] public Status? NullableStatus { get; set; }
    [Index] public string? NullableString { get; set; }
    public byte[]? NullableBytes { get; set; }

    public List<string> List { get; set; } = [];
    public int[]? Array { get; set; }
    public IReadOnlyList<List<int?>>? Nested { get; set; }

    [Index] public HashSet<string> Set { get; set; } = [];
    public ISet<decimal>? DecimalSet { get; set; }
    public SortedSet<int> InPlace { get; } = [];
    public Dictionary<string, decimal> Prices { get; set; } = [];
    public IDictionary<Status, List<string>>? Notes { get; set; }

    [Counter] public long Counter { get; set; }
    [Counter] public int SmallCounter { get; set; }
    public Owned? Owned { get; set; }

    [Ignore] public object? Ignored { get; set; }
    [NotMapped] public object? NotMapped { get; set; }
    public string Computed => String + Int32;
}

public class Owned
{
    [Index] public string? Text { get; set; }
    [Counter] public long Counter { get; set; }
    public HashSet<int> Set { get; set; } = [];
    public GeoPoint? Point { get; set; }
}

/// <summary>An entity with constraints and with a composite key whose order differs from the order of declaration.</summary>
[Keyspace("lines")]
[DeleteWins]
public class OrderLine
{
    [Key, Column(Order = 2)] public int Line { get; set; }
    [Key, Column(Order = 1)] public required string Order { get; init; }
    [Required, MaxLength(10)] public string? Text { get; set; }
    [MaxLength(2)] public List<int> Numbers { get; private set; } = [];

    public void Number(int number) => Numbers.Add(number);
}

/// <summary>An entity that is a record, whose constructor takes the properties.</summary>
public sealed record Article(string Id, string Title, decimal Price = 9.5m)
{
    public int Likes { get; init; } = 3;
}
