using System.Collections;
using System.ComponentModel;
using System.Globalization;
using System.Text;

namespace Datacake.Data.CodeGeneration;

/// <summary>
/// The errors in the objects and items within one property, collected before they are stored. Not thread-safe. For generated code.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class ValueProblems
{
    readonly List<(string Path, string Problem)> _found = [];
    readonly List<object> _path = [];               // property names, indexes and dictionary keys

    /// <param name="property">The property.</param>
    internal ValueProblems(string property) => _path.Add(property);

    internal IReadOnlyList<(string Path, string Problem)> Found => _found;

    /// <summary>
    /// Returns the message of an exception without the name of a parameter, which means nothing to the author of an entity.
    /// </summary>
    internal static string ReasonOf(Exception failure) => failure is ArgumentException { ParamName: { } parameter }
        ? failure.Message.Replace($" (Parameter '{parameter}')", "", StringComparison.Ordinal)
        : failure.Message;

    /// <summary>Checks a property of an object.</summary>
    public void Property<T>(string name, T value, ValueCodec<T> codec, bool isRequired, int? maxLength)
    {
        ArgumentNullException.ThrowIfNull(codec);
        _path.Add(name);
        Check(value, codec, isRequired);
        if (TooLong(value, maxLength) is { } problem)
            Add(problem);
        _path.RemoveAt(_path.Count - 1);
    }

    /// <summary>Checks the items of a list.</summary>
    public void Items<T>(IEnumerable<T> items, ValueCodec<T> codec, bool areRequired)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(codec);
        int index = 0;
        foreach (var item in items)
        {
            _path.Add(index++);
            Check(item, codec, areRequired);
            _path.RemoveAt(_path.Count - 1);
        }
    }

    /// <summary>Checks the values of a dictionary.</summary>
    public void Entries<TKey, T>(IEnumerable<KeyValuePair<TKey, T>> entries, ValueCodec<T> codec, bool areRequired)
    {
        ArgumentNullException.ThrowIfNull(entries);
        ArgumentNullException.ThrowIfNull(codec);
        foreach (var (key, value) in entries)
        {
            _path.Add(new EntryKey(key));
            Check(value, codec, areRequired);
            _path.RemoveAt(_path.Count - 1);
        }
    }

    /// <summary>Describes a length that exceeds a limit; returns null if it does not, or if the value has no length.</summary>
    internal static string? TooLong(object? value, int? maxLength)
    {
        int? length = maxLength is null ? null : value switch
        {
            string text => text.Length,
            ICollection collection => collection.Count,
            IEnumerable elements => elements.Cast<object?>().Count(),
            _ => null,
        };
        return length > maxLength ? $"has a length of {length}, but the limit is {maxLength}" : null;
    }

    internal const string Missing = "is null, but must have a value";

    void Check<T>(T value, ValueCodec<T> codec, bool isRequired)
    {
        if (value is not null)
            codec.Check(value, this);
        else if (isRequired)
            Add(Missing);
    }

    void Add(string problem)
    {
        var path = new StringBuilder();
        foreach (object step in _path)
        {
            if (step is string name)
                path.Append(path.Length > 0 ? "." : "").Append(name);
            else
                path.Append(CultureInfo.InvariantCulture, $"[{step}]");
        }
        _found.Add((path.ToString(), problem));
    }

    /// <summary>A dictionary key in the path, which must not be confused with a property name if it is a string.</summary>
    sealed record EntryKey(object? Key)
    {
        public override string ToString() => Convert.ToString(Key, CultureInfo.InvariantCulture) ?? "";
    }
}
