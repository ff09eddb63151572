using System.Text.Json;
using Parquet;
using Parquet.Schema;

namespace Datacake.Tool.Transfers;

/// <summary>A column of a Parquet file that is written: the values of one property in a group of rows.</summary>
abstract class ParquetColumn(DataField target)
{
    public DataField Field => target;

    /// <summary>Creates the column for a type of values. See <see cref="ParquetTypes"/>.</summary>
    public static ParquetColumn Create(string name, string type) => type switch
    {
        ParquetTypes.Integer => new ValueColumn<long>(new DataField<long?>(name), static value => value.GetInt64()),
        ParquetTypes.Number => new ValueColumn<double>(new DataField<double?>(name), static value => value.GetDouble()),
        ParquetTypes.Boolean => new ValueColumn<bool>(new DataField<bool?>(name), static value => value.GetBoolean()),
        ParquetTypes.Bytes => new ByteColumn(name),
        ParquetTypes.Json => new TextColumn(name, static value => value.GetRawText()),
        ParquetTypes.Text => new TextColumn(name, static value => value.GetString()!),
        _ => new TextColumn(name, static value => value.EnumerateObject().First().Value.GetString()!),
    };

    /// <summary>Adds the value of the next row, or null if the row has none.</summary>
    public abstract void Add(JsonElement? value);

    /// <summary>Writes the values to a group of rows, and forgets them.</summary>
    public abstract Task WriteAsync(ParquetRowGroupWriter group, CancellationToken cancellationToken);

    sealed class ValueColumn<T>(DataField target, Func<JsonElement, T> read) : ParquetColumn(target)
        where T : struct
    {
        readonly List<T?> _values = [];

        public override void Add(JsonElement? value) => _values.Add(value is { } present ? read(present) : null);

        public override async Task WriteAsync(ParquetRowGroupWriter group, CancellationToken cancellationToken)
        {
            await group.WriteAsync<T>(Field, _values.ToArray(), cancellationToken: cancellationToken).ConfigureAwait(false);
            _values.Clear();
        }
    }

    sealed class TextColumn(string name, Func<JsonElement, string> read) : ParquetColumn(new DataField<string>(name))
    {
        readonly List<string?> _values = [];

        public override void Add(JsonElement? value) => _values.Add(value is { } present ? read(present) : null);

        public override async Task WriteAsync(ParquetRowGroupWriter group, CancellationToken cancellationToken)
        {
            await group.WriteAsync(Field, _values!).ConfigureAwait(false);
            _values.Clear();
        }
    }

    sealed class ByteColumn(string name) : ParquetColumn(new DataField<byte[]>(name))
    {
        readonly List<byte[]?> _values = [];

        public override void Add(JsonElement? value) => _values.Add(value?.EnumerateObject().First().Value.GetBytesFromBase64());

        public override async Task WriteAsync(ParquetRowGroupWriter group, CancellationToken cancellationToken)
        {
            await group.WriteAsync(Field, _values!).ConfigureAwait(false);
            _values.Clear();
        }
    }
}
