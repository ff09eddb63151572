using CsCheck;
using Datacake.Data.Tests.Shop;

namespace Datacake.Data.Tests;

/// <summary>Generators of values and entities.</summary>
static class Gens
{
    static readonly string[] Parts = ["a", "b", "ab", "A", "é", "\0", "𝄞", "\uFFFD", " ", "ß"];

    /// <summary>
    /// Strings of a few distinct characters, so that collisions are frequent. Some characters take two or four bytes in UTF-8, and some sort
    /// differently in UTF-8 than in UTF-16.
    /// </summary>
    public static readonly Gen<string> Text = Gen.Int[0, Parts.Length - 1].Select(i => Parts[i]).Array[0, 4].Select(string.Concat);

    public static readonly Gen<DateOnly> DateOnly = Gen.Int[0, System.DateOnly.MaxValue.DayNumber].Select(System.DateOnly.FromDayNumber);

    public static readonly Gen<TimeOnly> TimeOnly = Gen.Long[0, System.TimeOnly.MaxValue.Ticks].Select(ticks => new TimeOnly(ticks));

    public static readonly Gen<DateTime> DateTime = Gen.Select(
        Gen.Long[0, System.DateTime.MaxValue.Ticks], Gen.Bool.Select(isUtc => isUtc ? DateTimeKind.Utc : DateTimeKind.Unspecified), (ticks, kind) => new DateTime(ticks, kind));

    public static readonly Gen<DateTimeOffset> DateTimeOffset = Gen.Select(
        Gen.Long[TimeSpan.TicksPerDay, System.DateTime.MaxValue.Ticks - TimeSpan.TicksPerDay], Gen.Int[-840, 840],
        (ticks, minutes) => new DateTimeOffset(ticks, TimeSpan.FromMinutes(minutes)));

    static readonly Gen<Owned?> Owned = Gen.Select(
        Text.Null(), Gen.Long[-5, 5], Gen.Int[0, 9].HashSet[0, 3], Gen.Select(Gen.Double, Gen.Double, (a, b) => new GeoPoint(a, b)).Null())
        .Select((text, counter, set, point) => new Owned { Text = text, Counter = counter, Set = set, Point = point }).Null();

    public static readonly Gen<Everything> Everything = Gen.ULong.Select(EverythingOf);

    public static Everything EverythingOf(ulong seed)
    {
        var random = new PCG(1, seed);
        return new Everything
        {
            Id = Any(Gen.Guid),
            Boolean = Any(Gen.Bool),
            Byte = Any(Gen.Byte[0, 3]),
            SByte = Any(Gen.SByte),
            Int16 = Any(Gen.Short),
            UInt16 = Any(Gen.UShort),
            Int32 = Any(Gen.Int[-4, 4]),
            UInt32 = Any(Gen.UInt),
            Int64 = Any(Gen.Long),
            UInt64 = Any(Gen.ULong),
            Char = Any(Gen.Char),
            Single = Any(Gen.Float),
            Double = Any(Gen.Double[-2, 2]),
            Decimal = Any(Gen.Int[-50, 50].Select(i => i / 10m)),
            String = Any(Text),
            Guid = Any(Gen.Guid),
            DateTime = Any(DateTime),
            DateTimeOffset = Any(DateTimeOffset),
            DateOnly = Any(Gen.Int[0, 5].Select(days => new DateOnly(2026, 1, 1).AddDays(days))),
            TimeOnly = Any(TimeOnly),
            TimeSpan = Any(Gen.TimeSpan),
            Bytes = Any(Gen.Byte.Array[0, 5]),
            Status = Any(Gen.Enum<Status>()),
            Rights = Any(Gen.Enum<Rights>()),
            NullableBoolean = Any(Gen.Bool.Nullable()),
            NullableInt32 = Any(Gen.Int[-4, 4].Nullable()),
            NullableDecimal = Any(Gen.Decimal.Nullable()),
            NullableDateTime = Any(DateTime.Nullable()),
            NullableStatus = Any(Gen.Enum<Status>().Nullable()),
            NullableString = Any(Text.Null()),
            NullableBytes = Any(Gen.Byte.Array[0, 5].Null()),
            List = Any(Text.List[0, 3]),
            Array = Any(Gen.Int.Array[0, 3].Null()),
            Nested = Any(Gen.Int.Nullable().List[0, 3].List[0, 3].Null()),
            Set = Any(Text.HashSet[0, 4]),
            DecimalSet = Any(Gen.Decimal.HashSet[0, 3].Null()),
            Prices = Any(Gen.Dictionary(Text, Gen.Decimal)[0, 3]),
            Notes = Any(Gen.Dictionary(Gen.Enum<Status>(), Text.List[0, 2])[0, 2].Null()),
            Counter = Any(Gen.Long[-100, 100]),
            SmallCounter = Any(Gen.Int[-100, 100]),
            Owned = Any(Owned),
        };

        T Any<T>(Gen<T> gen) => gen.Generate(random, null, out _);
    }
}
