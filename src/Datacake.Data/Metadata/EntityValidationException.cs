namespace Datacake.Data;

/// <summary>
/// The exception thrown when entities violate the rules of their classes (<c>[Required]</c>, <c>[MaxLength]</c>, nullability), lack a
/// required reference, or have values that cannot be stored. Nothing was written.
/// </summary>
public sealed class EntityValidationException : Exception
{
    const int MaxErrorsInMessage = 20;

    /// <summary>Creates the exception.</summary>
    public EntityValidationException(IReadOnlyList<ValidationError> errors)
        : base(Describe(errors)) => Errors = errors;

    internal EntityValidationException(IReadOnlyList<ValidationError> errors, Exception innerException)
        : base(Describe(errors), innerException) => Errors = errors;

    /// <summary>Gets all errors.</summary>
    public IReadOnlyList<ValidationError> Errors { get; }

    static string Describe(IReadOnlyList<ValidationError> errors)
    {
        string listed = string.Join("; ", errors.Take(MaxErrorsInMessage));
        string rest = errors.Count > MaxErrorsInMessage ? $"; and {errors.Count - MaxErrorsInMessage} more" : "";
        return $"Nothing was saved, because of {errors.Count} error(s): {listed}{rest}. Correct them and save again.";
    }
}
