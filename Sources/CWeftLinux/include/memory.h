// The mappings of the program itself, which only the dynamic linker knows: Swift does not import dl_iterate_phdr.
#ifndef WEFT_MEMORY_H
#define WEFT_MEMORY_H

#include <stddef.h>

// Unmaps the program's code and constants, which come back from the page cache as they are used. Returns how many bytes
// of address space that was.
size_t weft_release_code(void);

#endif
