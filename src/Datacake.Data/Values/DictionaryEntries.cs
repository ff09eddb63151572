using System.ComponentModel;

namespace Datacake.Data.CodeGeneration;

/// <summary>The entries of dictionaries of any type. For generated code.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class DictionaryEntries
{
    /// <summary>Returns the entries of a dictionary.</summary>
    public static IEnumerable<KeyValuePair<object, object?>> Of<TKey, TValue>(IEnumerable<KeyValuePair<TKey, TValue>> dictionary)
    {
        ArgumentNullException.ThrowIfNull(dictionary);
        return dictionary.Select(static entry => KeyValuePair.Create<object, object?>(entry.Key!, entry.Value));
    }
}
