using Datacake.Tool.Terminal;
using Parquet;
using Parquet.Schema;

namespace Datacake.Tool.Tests;

/// <summary>Export and import of Parquet files, those of other programs included.</summary>
public class ParquetTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Parquet_keeps_every_value_except_that_null_is_missing()
    {
        await using var fixture = await ToolFixture.StartAsync();
        string[] lines =
        [
            """{"key":1,"document":{"Name":"Madeira, \"large\"","Price":{"$decimal":"12.50"},"Tags":{"$set":["a","b"]},"Stock":{"$counter":3},"Sold":true}}""",
            """{"key":2,"document":{"Name":"7","Price":{"$decimal":"1"},"Address":true,"Address.City":"London","Ratio":2.0,"Huge":18446744073709551615}}""",
            """{"key":3,"document":{"Name":"","Any":"true","Weight":-5,"Odd":{"$double":"NaN"},"When":{"$dateTime":"2026-01-02T03:04:05Z"},"Data":{"$bytes":""}}}""",
            """{"key":4,"document":{"Any":[1,{"a":"b"}],"Ratio":-1E+300,"Data":{"$bytes":"AQID"},"Id":{"$guid":"6f9619ff-8b86-d011-b42d-00cf4fc964ff"}}}""",
            """{"key":5,"document":{"Any":{"$single":"1.5"},"Prices":{"$dictionary":[[1,{"$decimal":"2.5"}]]},"Empty":null}}""",
        ];
        File.WriteAllLines(fixture.PathOf("source.jsonl"), lines);
        await fixture.RunGoodAsync("import", "Cakes", fixture.PathOf("source.jsonl"));
        string parquet = fixture.PathOf("cakes.parquet");

        await fixture.RunGoodAsync("export", "Cakes", parquet);
        await fixture.RunGoodAsync("import", "Copies", parquet);
        await fixture.RunGoodAsync("export", "Cakes", fixture.PathOf("expected.jsonl"));
        await fixture.RunGoodAsync("export", "Copies", fixture.PathOf("target.jsonl"));

        string[] expected = [.. File.ReadAllLines(fixture.PathOf("expected.jsonl")).Select(static line => line.Replace("\"Empty\":null,", "", StringComparison.Ordinal)
            .Replace(",\"Empty\":null", "", StringComparison.Ordinal))];
        Assert.Equal(expected, File.ReadAllLines(fixture.PathOf("target.jsonl")));
        await using var reader = await ParquetReader.CreateAsync(parquet, cancellationToken: Canceled);
        var types = reader.Schema.DataFields.ToDictionary(static field => field.Name, static field => field.ClrType);
        Assert.Equal((typeof(long), typeof(double), typeof(bool), typeof(ReadOnlyMemory<byte>), typeof(ReadOnlyMemory<char>)), (types["$key"], types["Ratio"], types["Sold"], types["Data"], types["Price"]));
        Assert.False(File.Exists(parquet + ".part"));
    }

    [Fact]
    public async Task Many_rows_are_several_groups_and_blocks()
    {
        await using var fixture = await ToolFixture.StartAsync();
        string source = fixture.PathOf("source.jsonl"), parquet = fixture.PathOf("cakes.parquet"), target = fixture.PathOf("target.jsonl");
        File.WriteAllLines(source, Enumerable.Range(0, 60_000).Select(static i => $$$"""{"key":{{{i}}},"document":{"Name":"Cake {{{i}}}"}}"""));

        await fixture.RunGoodAsync("import", "Cakes", source);
        await fixture.RunGoodAsync("export", "Cakes", parquet);
        await fixture.RunGoodAsync("import", "Copies", parquet);
        await fixture.RunGoodAsync("export", "Copies", target);

        Assert.True(File.ReadLines(source).SequenceEqual(File.ReadLines(target)));
        await using var reader = await ParquetReader.CreateAsync(parquet, cancellationToken: Canceled);
        Assert.Equal(2, reader.RowGroupCount);
    }

    [Fact]
    public async Task File_of_another_program_is_imported_by_the_types_of_its_columns()
    {
        await using var fixture = await ToolFixture.StartAsync();
        string file = fixture.PathOf("foreign.parquet");
        await WriteAsync(file, new DataField<string>("Name"), new DataField<int>("$key"), new DecimalDataField("Price", 10, 2), new DataField<DateTime?>("Baked"), new DataField<Guid>("Id"));

        await fixture.RunGoodAsync("import", "Cakes", file);

        var cake = (await fixture.RunGoodAsync("get", "Cakes", "7", "--exact")).Json.GetProperty("document");
        Assert.Equal("Madeira", cake.GetProperty("Name").GetString());
        Assert.Equal("12.50", cake.GetProperty("Price").GetProperty("$decimal").GetString());
        Assert.StartsWith("2026-01-02T03:04:05", cake.GetProperty("Baked").GetProperty("$dateTime").GetString(), StringComparison.Ordinal);
        Assert.Equal("6f9619ff-8b86-d011-b42d-00cf4fc964ff", cake.GetProperty("Id").GetProperty("$guid").GetString());
    }

    [Fact]
    public async Task Files_that_cannot_be_imported_are_refused_with_the_reason()
    {
        await using var fixture = await ToolFixture.StartAsync();
        string text = fixture.PathOf("text.parquet"), keyless = fixture.PathOf("keyless.parquet"), lists = fixture.PathOf("lists.parquet");
        File.WriteAllText(text, "This is no Parquet file, although its name says so.");
        await WriteAsync(keyless, new DataField<string>("Name"));
        await WriteAsync(lists, new DataField<int>("$key"), new ListField("Tags", new DataField<string>("element")));

        await RefuseAsync(text, "is not a Parquet file");
        await RefuseAsync(keyless, "has no column $key");
        await RefuseAsync(lists, "The column Tags");

        async Task RefuseAsync(string file, string reason)
        {
            var refused = await fixture.RunAsync("import", "Cakes", file);
            Assert.Equal(ExitCode.Usage, refused.ExitCode);
            Assert.Contains(reason, refused.Messages, StringComparison.Ordinal);
        }
    }

    /// <summary>Writes a file with one row.</summary>
    static async Task WriteAsync(string file, params Field[] fields)
    {
        var schema = new ParquetSchema(fields);
        await using var stream = File.Create(file);
        await using var writer = await ParquetWriter.CreateAsync(schema, stream, cancellationToken: Canceled);
        using var group = writer.CreateRowGroup();
        foreach (var field in schema.DataFields)
        {
            if (field.ClrType == typeof(int))
                await group.WriteAsync<int>(field, One(7), cancellationToken: Canceled);
            else if (field.ClrType == typeof(decimal))
                await group.WriteAsync<decimal>(field, One(12.50m), cancellationToken: Canceled);
            else if (field.ClrType == typeof(Guid))
                await group.WriteAsync<Guid>(field, One(Guid.Parse("6f9619ff-8b86-d011-b42d-00cf4fc964ff")), cancellationToken: Canceled);
            else if (field.ClrType == typeof(DateTime))
                await group.WriteAsync<DateTime>(field, One<DateTime?>(new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc)), cancellationToken: Canceled);
            else if (field.MaxRepetitionLevel > 0)
                await group.WriteAsync(field, ["Madeira"], One(0));
            else
                await group.WriteAsync(field, ["Madeira"]);
        }
    }

    static T[] One<T>(T value) => [value];
}
