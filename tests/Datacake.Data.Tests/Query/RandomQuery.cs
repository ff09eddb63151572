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
        var right = new OverParameter(left.Parameters[0]).Visit(Predicate(depth - 1).Body);
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
        return random.Next(56) switch
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
            _ => e => number > 3,
        };
    }

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

    sealed class OverParameter(ParameterExpression parameter) : ExpressionVisitor
    {
        protected override Expression VisitParameter(ParameterExpression node) => parameter;
    }
}
