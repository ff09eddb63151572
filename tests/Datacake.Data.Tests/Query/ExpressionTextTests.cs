using System.Linq.Expressions;
using Datacake.Data.Querying.Analysis;
using Datacake.Data.Tests.Shop;

namespace Datacake.Data.Tests.Query;

[Collection(QueriedData.Tests)]
public class ExpressionTextTests(QueriedData data)
{
    [Fact]
    public void Expression_is_printed_as_it_was_written()
    {
        decimal? dearest = 20;
        var status = Status.Active;
        int[] numbers = [1, 2];
        List<string> texts = ["a"];
        Shows("e.Decimal < dearest", e => e.Decimal < dearest);
        Shows("e.NullableDecimal == e.Decimal", e => e.NullableDecimal == e.Decimal);
        Shows("e.Status == Status.Active", e => e.Status == Status.Active);
        Shows("Status.Retired != e.NullableStatus", e => Status.Retired != e.NullableStatus);
        Shows("e.Status == (Status)7", e => e.Status == (Status)7);
        Shows("e.Status == status", e => e.Status == status);
        Shows("e.Char == 'x'", e => e.Char == 'x');
        Shows("e.Byte + 1 > e.Int64", e => e.Byte + 1 > e.Int64);
        Shows("(Int32)e.Double == 3", e => (int)e.Double == 3);
        Shows("e.Int32 > 1 && (e.Boolean || !e.NullableBoolean.HasValue)", e => e.Int32 > 1 && (e.Boolean || !e.NullableBoolean.HasValue));
        Shows("(e.Int32 - (e.Byte - 1)) * 2 == -e.Int32", e => (e.Int32 - (e.Byte - 1)) * 2 == -e.Int32);
        Shows("(e.NullableInt32 ?? 0) == 5", e => (e.NullableInt32 ?? 0) == 5);
        Shows("(e.Boolean ? e.Int32 : 1) == 2", e => (e.Boolean ? e.Int32 : 1) == 2);
        Shows("e.List.Any(x => x.Length > 2)", e => e.List.Any(x => x.Length > 2));
        Shows("texts.Contains(e.String)", e => texts.Contains(e.String));
        Shows("numbers.Contains(e.Int32)", e => numbers.Contains(e.Int32));
        Shows("e.List[0] == \"a\" && e.Array[1] == 2", e => e.List[0] == "a" && e.Array![1] == 2);
        Shows("string.IsNullOrEmpty(e.String)".Replace("string", "String", StringComparison.Ordinal), e => string.IsNullOrEmpty(e.String));
        Shows("e.Owned != null && e.Owned.Point == null", e => e.Owned != null && e.Owned.Point == null);
        Shows("e.String.Like(\"a%\")", e => e.String.Like("a%"));
        Shows("((Everything)e.Ignored).Boolean", e => ((Everything)e.Ignored!).Boolean);
        Shows("e.Ignored is Product", e => e.Ignored is Product);
        Shows("new[] { e.Int16, 2 }.Length == e.Int32", e => new[] { e.Int16, 2 }.Length == e.Int32);
        Shows("e.Bytes.Length == Guid.Empty.ToByteArray().Length", e => e.Bytes.Length == Guid.Empty.ToByteArray().Length);

        static void Shows(string text, Expression<Func<Everything, bool>> condition) => Assert.Equal(text, ExpressionText.Of(condition.Body));
    }

    [Fact]
    public async Task Plan_shows_conditions_and_projections_as_they_were_written()
    {
        await using var db = data.NewContext();
        var some = new Everything();
        byte[] bytes = [1];
        decimal? dearest = 20;
        Assert.Equal("queried: full scan; check e.NullableDecimal < dearest && e.Status != Status.Draft", db.Everything.Where(e => e.NullableDecimal < dearest).Where(e => e.Status != Status.Draft).Explain());
        Assert.Equal("queried: full scan; check e != some", db.Everything.Where(e => e != some).Explain());
        Assert.Equal("queried: full scan; check e.NullableBytes == bytes", db.Everything.Where(e => e.NullableBytes == bytes).Explain());
        Assert.Equal("queried: index Bytes where Bytes = 0x01", db.Everything.Where(e => e.Bytes == bytes).Explain());
        Assert.Equal(
            "queried: index Int32 where Int32 > 2; select e => new { A = e.Int32, B = e.NullableInt32 ?? 0 }",
            db.Everything.Select(e => new { A = e.Int32, B = e.NullableInt32 ?? 0 }).Where(x => x.A > 2).Explain());
    }
}
