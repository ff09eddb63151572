using System.Collections;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Linq.Expressions;
using Datacake.Data.Tests.Shop;

namespace Datacake.Data.Tests.Query;

/// <summary>Random conditions and orderings over the properties of <see cref="Everything"/>, as users would write them.</summary>
sealed class RandomQuery(Random random, IReadOnlyList<Everything> data)
{
    public Expression<Func<Everything, bool>> Predicate(int depth = 2)
    {
        if (depth == 0 || random.Next(3) == 0)
            return Leaf();
        var left = Predicate(depth - 1);
        var other = Predicate(depth - 1);
        var right = new OverParameter(other.Parameters[0], left.Parameters[0]).Visit(other.Body);
        Expression body = random.Next(5) switch
        {
            0 or 1 => Expression.AndAlso(left.Body, right),
            2 or 3 => Expression.OrElse(left.Body, right),
            _ => Expression.Not(left.Body),
        };
        return Expression.Lambda<Func<Everything, bool>>(body, left.Parameters);
    }

    Expression<Func<Everything, bool>> Leaf()
    {
        var some = data[random.Next(data.Count)];
        var other = data[random.Next(data.Count)];
        int number = random.Next(-5, 6);
        int? perhaps = random.Next(4) == 0 ? null : number;
        long wide = number;
        string? text = some.NullableString;
        string part = some.String.Length > 0 && random.Next(2) == 0 ? some.String[..1] : some.String;
        if (part.Length > 0 && char.IsHighSurrogate(part[^1]))
            part = "a";
        var ids = new List<Guid> { some.Id, other.Id, Guid.Empty };
        int[] numbers = [number, number + 2, number];
        byte small = (byte)random.Next(5);
        decimal exact = random.Next(2) == 0 ? number : number + 0.5m;
        double real = random.Next(2) == 0 ? number : number - 0.25;
        List<object?> boxed = [number, wide + 1, null];
        ArrayList array = [number, wide + 1];
        string[] texts = [part, "b"];
        string[] patterns = ["%", "a%", "_", "%b", "a_%", "ab", part + "%", part + "_", "%" + part + "%", ""];
        string pattern = patterns[random.Next(patterns.Length)];
        return random.Next(93) switch
        {
            0 => e => e.Int32 == number,
            1 => e => e.Int32 > number,
            2 => e => e.Int32 >= number && e.Int32 < number + 3,
            3 => e => number >= e.Int32,
            4 => e => e.Int32 != number,
            5 => e => e.Int32 == wide,
            6 => e => numbers.Contains(e.Int32),
            7 => e => e.NullableInt32 == perhaps,
            8 => e => e.NullableInt32 < perhaps,
            9 => e => e.NullableInt32 != null,
            10 => e => e.NullableInt32.HasValue && e.NullableInt32.Value > number,
            11 => e => !e.NullableInt32.HasValue,
            12 => e => e.NullableString == text,
            13 => e => e.NullableString == null,
            14 => e => e.NullableString != null && e.NullableString.StartsWith(part, StringComparison.Ordinal),
            15 => e => string.CompareOrdinal(e.NullableString, part) > 0,
            16 => e => string.CompareOrdinal(e.NullableString, part) <= 0,
            17 => e => e.NullableString != null && e.NullableString.Length == 2,
            18 => e => e.Status == Status.Active,
            19 => e => e.Status == some.Status && e.Int32 > number,
            20 => e => e.Status == some.Status && e.Int32 == number,
            21 => e => e.NullableStatus == some.NullableStatus,
            22 => e => e.NullableStatus >= Status.Active,
            23 => e => e.Decimal <= some.Decimal,
            24 => e => e.Decimal > some.Decimal && e.Decimal < other.Decimal,
            25 => e => e.Double >= some.Double,
            26 => e => e.Double < number,
            27 => e => e.DateOnly == some.DateOnly,
            28 => e => e.DateOnly > some.DateOnly,
            29 => e => e.DateTime <= some.DateTime,
            30 => e => e.DateTimeOffset > some.DateTimeOffset,
            31 => e => e.Set.Contains(part),
            32 => e => e.Set.Contains(part) && e.Set.Contains("b"),
            33 => e => e.Owned != null && e.Owned.Text == text,
            34 => e => e.Owned == null,
            35 => e => e.Id == some.Id,
            36 => e => ids.Contains(e.Id),
            37 => e => e.Id.CompareTo(some.Id) > 0,
            38 => e => e.Boolean,
            39 => e => !e.Boolean || e.Int32 == number,
            40 => e => e.Counter > number,
            41 => e => e.List.Count > 1,
            42 => e => e.Prices.ContainsKey(part),
            43 => e => e.String.Contains(part) ^ e.Boolean,
            44 => e => e.NullableString != null && e.NullableString.Equals(text, StringComparison.Ordinal),
            45 => e => e.Id > some.Id,
            46 => e => e.Id >= some.Id && e.Id < other.Id,
            47 => e => e.Byte == small,
            48 => e => e.Byte >= small && string.CompareOrdinal(e.NullableString, part) < 0,
            49 => e => e.Byte == small && e.NullableString != null && e.NullableString.StartsWith(part, StringComparison.Ordinal),
            50 => e => e.Byte == small && string.CompareOrdinal(e.NullableString, part) >= 0,
            51 => e => e.NullableStatus == some.NullableStatus && e.DateOnly < some.DateOnly,
            52 => e => e.NullableStatus == Status.Active && e.DateOnly >= some.DateOnly && e.DateOnly <= other.DateOnly,
            53 => e => e.NullableInt32 <= number,
            54 => e => e.Byte < small || e.Int32 == number,
            55 => e => number > 3,
            56 => e => e.Int32.Equals(number),
            57 => e => Equals(e.Int32, number),
            58 => e => Equals(e.Int32, wide),
            59 => e => Equals(e.NullableInt32, perhaps),
            60 => e => e.Status.Equals(some.Status),
            61 => e => boxed.Contains(e.Int32),
            62 => e => boxed.Contains((object?)e.NullableInt32),
            63 => e => array.Contains(e.Int32) || array.Contains(e.Int64),
            64 => e => e.Int32 == exact,
            65 => e => e.Int32 > exact,
            66 => e => e.NullableInt32 <= exact,
            67 => e => e.Int32 < real && e.NullableInt32 >= -real,
            68 => e => e.Byte == real || e.Int64 > real,
            69 => e => e.Byte < exact,
            70 => e => (e.NullableInt32 ?? 0) == number,
            71 => e => (e.NullableInt32 ?? number) > 1,
            72 => e => e.NullableInt32.GetValueOrDefault() <= number,
            73 => e => e.NullableInt32.GetValueOrDefault(number) != 1,
            74 => e => (e.NullableString ?? "") == part,
            75 => e => string.CompareOrdinal(e.NullableString ?? "b", part) < 0,
            76 => e => string.CompareOrdinal(e.NullableString ?? "", part) >= 0,
            77 => e => e.NullableBoolean ?? false,
            78 => e => !(e.NullableBoolean ?? true) || e.NullableBoolean.GetValueOrDefault(),
            79 => e => string.IsNullOrEmpty(e.NullableString),
            80 => e => !string.IsNullOrEmpty(e.NullableString) && e.Int32 > number,
            81 => e => ids.Any(i => i == e.Id),
            82 => e => numbers.Any(i => i == e.NullableInt32),
            83 => e => ids.Exists(i => e.Id == i) || numbers.Any(i => e.Int64 == i),
            84 => e => e.Set.Any(s => s == part),
            85 => e => e.Set.Overlaps(texts),
            86 => e => e.Set.Any(s => texts.Contains(s)),
            87 => Collections(some, other, number),
            88 => e => (wide > 0 ? e.Int32 > number : e.Boolean) && (number > 2 || e.Int32 > 0),
            89 => e => e.NullableString.Like(pattern),
            90 => e => e.String.Like(pattern) || !e.NullableString.Like("%a"),
            91 => e => e.Byte == small && e.NullableString.Like(pattern),
            _ => Texts(some.NullableString ?? "", part),
        };
    }

    /// <summary>Returns a random condition on a collection.</summary>
    Expression<Func<Everything, bool>> Collections(Everything some, Everything other, int number)
    {
        int[] numbers = [number, number + 3];
        var lazy = numbers.Where(n => n != number);
        var sorted = new SortedSet<int>(numbers);
        var frozen = numbers.ToFrozenSet();
        var immutable = ImmutableHashSet.Create(numbers);
        var list = ImmutableList.Create(numbers);
        var immutableArray = ImmutableArray.Create(numbers);
        var nullable = new HashSet<int?> { number, null };
        var statuses = new HashSet<Status> { some.Status };
        var statusList = new List<Status?> { some.NullableStatus, null };
        var dates = new HashSet<DateOnly> { some.DateOnly, other.DateOnly };
        var dictionary = new Dictionary<int, string> { [number] = "x" };
        var sortedDictionary = new SortedDictionary<DateOnly, int> { [some.DateOnly] = 1 };
        var anyCase = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "A", "AB" };
        var anyCaseKeys = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase) { ["A"] = 1 };
        var backwards = new SortedSet<int>(Comparer<int>.Create((a, b) => Math.Abs(b).CompareTo(Math.Abs(a)))) { number };
        var parity = new HashSet<int>(EqualityComparer<int>.Create((a, b) => a % 2 == b % 2, a => a % 2)) { number };
        var ordinal = new SortedSet<string>(StringComparer.Ordinal) { some.NullableString ?? "a" };
        var texts = new Queue<string?>(["a", null]);
        decimal[] decimals = [number, number + 0.5m];
        return random.Next(25) switch
        {
            0 => e => lazy.Contains(e.Int32),
            1 => e => numbers.Where(n => n > number).Contains(e.Int32),
            2 => e => sorted.Contains(e.Int32),
            3 => e => frozen.Contains(e.Int32),
            4 => e => immutable.Contains(e.Int32),
            5 => e => list.Contains(e.Int32) || immutableArray.Contains(e.Int32),
            6 => e => nullable.Contains(e.NullableInt32),
            7 => e => nullable.Contains(e.Int32),
            8 => e => statuses.Contains(e.Status),
            9 => e => statusList.Contains(e.NullableStatus),
            10 => e => dates.Contains(e.DateOnly),
            11 => e => dictionary.Keys.Contains(e.Int32),
            12 => e => dictionary.ContainsKey(e.Int32),
            13 => e => sortedDictionary.ContainsKey(e.DateOnly),
            14 => e => e.NullableString != null && anyCase.Contains(e.NullableString),
            15 => e => e.NullableString != null && (anyCaseKeys.ContainsKey(e.NullableString) || anyCaseKeys.Keys.Contains(e.NullableString)),
            16 => e => backwards.Contains(e.Int32),
            17 => e => parity.Contains(e.Int32),
            18 => e => e.NullableString != null && ordinal.Contains(e.NullableString),
            19 => e => texts.Contains(e.NullableString),
            20 => e => decimals.Contains(e.Int32),
            21 => e => Enumerable.Range(number, 2).Contains(e.Int32),
            22 => e => lazy.Any(n => n == e.Int32),
            23 => e => lazy.Contains(e.Int32) && e.Boolean,
            _ => e => Array.IndexOf(numbers, e.Int32) >= 0,
        };
    }

    static Expression<Func<Everything, bool>> Texts(string text, string part) => text.Length % 2 == 0
        ? e => string.Equals(e.NullableString, part, StringComparison.Ordinal)
        : e => e.NullableString != null && e.NullableString.Equals((object)part);

    public OrderedQuery<Everything> Order(
        Query<Everything> query, IEnumerable<Everything> expected, out IOrderedEnumerable<Everything> ordered)
    {
        var (result, sorted) = random.Next(15) switch
        {
            0 => (query.OrderBy(e => e.Int32), expected.OrderBy(e => e.Int32)),
            1 => (query.OrderByDescending(e => e.Int32), expected.OrderByDescending(e => e.Int32)),
            2 => (query.OrderBy(e => e.NullableString), expected.OrderBy(e => e.NullableString, StringComparer.Ordinal)),
            3 =>
                (query.OrderByDescending(e => e.NullableString), expected.OrderByDescending(e => e.NullableString, StringComparer.Ordinal)),
            4 => (query.OrderBy(e => e.Id), expected.OrderBy(e => e.Id)),
            5 => (query.OrderByDescending(e => e.Id), expected.OrderByDescending(e => e.Id)),
            6 => (query.OrderByDescending(e => e.NullableInt32), expected.OrderByDescending(e => e.NullableInt32)),
            7 => (query.OrderBy(e => e.Status), expected.OrderBy(e => e.Status)),
            8 => (query.OrderBy(e => e.Decimal), expected.OrderBy(e => e.Decimal)),
            9 => (query.OrderBy(e => e.Set.Count), expected.OrderBy(e => e.Set.Count)),
            10 => (query.OrderByDescending(e => e.DateOnly), expected.OrderByDescending(e => e.DateOnly)),
            11 => (query.OrderBy(e => e.NullableStatus).ThenByDescending(e => e.DateOnly),
                expected.OrderBy(e => e.NullableStatus).ThenByDescending(e => e.DateOnly)),
            12 => (query.OrderByDescending(e => e.NullableStatus).ThenBy(e => e.DateOnly),
                expected.OrderByDescending(e => e.NullableStatus).ThenBy(e => e.DateOnly)),
            13 => (query.OrderByDescending(e => e.Byte).ThenByDescending(e => e.NullableString),
                expected.OrderByDescending(e => e.Byte).ThenByDescending(e => e.NullableString, StringComparer.Ordinal)),
            _ => (query.OrderBy(e => e.String), expected.OrderBy(e => e.String, StringComparer.Ordinal)),
        };
        (result, ordered) = random.Next(4) switch
        {
            0 => (result.ThenBy(e => e.Byte), sorted.ThenBy(e => e.Byte)),
            1 => (result.ThenByDescending(e => e.NullableStatus), sorted.ThenByDescending(e => e.NullableStatus)),
            2 => (result.ThenByDescending(e => e.Id), sorted.ThenByDescending(e => e.Id)),
            _ => (result, sorted),
        };
        return result;
    }

    sealed class OverParameter(ParameterExpression from, ParameterExpression to) : ExpressionVisitor
    {
        protected override Expression VisitParameter(ParameterExpression node) => node == from ? to : node;
    }
}
