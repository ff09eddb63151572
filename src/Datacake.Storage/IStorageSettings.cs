namespace Datacake.Storage;

/// <summary>
/// Settings that are read by name, such as a section of an application's configuration. Each method calls <c>apply</c> with the value of a
/// setting that is present. A value that is malformed, or that <c>apply</c> refuses with an <see cref="ArgumentException"/>, is reported
/// together with all others.
/// </summary>
public interface IStorageSettings
{
    /// <summary>Reads a text. A required text that is missing is reported, too.</summary>
    void ReadText(string name, Action<string> apply, bool isRequired = false);

    /// <summary>Reads a whole number.</summary>
    void ReadInteger(string name, Action<int> apply);

    /// <summary>Reads a whole number that may be larger than an <see cref="int"/>.</summary>
    void ReadLong(string name, Action<long> apply);

    /// <summary>Reads true or false.</summary>
    void ReadBoolean(string name, Action<bool> apply);

    /// <summary>Reads a time span.</summary>
    void ReadTime(string name, Action<TimeSpan> apply);
}
