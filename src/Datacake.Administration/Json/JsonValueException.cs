namespace Datacake.Administration.Json;

/// <summary>JSON that is no value, key or document that can be stored. The message quotes it and says what is expected.</summary>
sealed class JsonValueException(string message) : FormatException(message);
