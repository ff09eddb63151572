namespace Datacake.Administration.Conditions;

/// <summary>A text that is no condition. The message says where, and what is expected there.</summary>
sealed class ConditionException(string message) : FormatException(message);
