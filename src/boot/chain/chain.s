# Starts the active partition of a disk, as boot code in a master boot record.
#
# The BIOS reads sector 0 to 0000:7c00 and names the drive in DL. This code moves out of the way to 0000:0600, looks for
# the one entry of the table that is marked active, reads the first sector of that partition to 0000:7c00, and jumps
# there: DL is the drive, DS:SI (and DS:BP) the entry, as boot sectors expect it.
#
# After a change: node test/boot/write-chain.ts

        .intel_syntax noprefix
        .code16
        .text
        .globl  _start

        .set    loaded, 0x7c00          # where the BIOS puts a boot sector
        .set    here, 0x600             # where it goes on
        .set    table, here + 0x1be     # the partition table in the moved copy
        .set    tableend, table + 4 * 16
        .set    drive, loaded - 2       # what DL was: the first word on the stack
        .set    signature, 0xaa55
        .set    tries, 3

        .set    active, 0               # in an entry: 0x80 or 0
        .set    firstlba, 8

_start:
        cli
        xor     ax, ax
        mov     ss, ax
        mov     sp, loaded
        mov     ds, ax
        mov     es, ax
        sti
        cld
        mov     si, sp
        mov     di, here
        mov     cx, 256
        rep movsw
        jmp     0:here + (moved - _start)

moved:
        push    dx
        xor     bp, bp                  # the active entry, none yet
        mov     si, table
look:
        cmp     byte ptr [si + active], 0x80
        jne     next
        test    bp, bp
        mov     bx, here + (several - _start)
        jnz     fail
        mov     bp, si
next:
        add     si, 16
        cmp     si, tableend
        jb      look
        mov     bx, here + (none - _start)
        test    bp, bp
        jz      fail
        mov     si, bp

        mov     di, tries
read:
        mov     ah, 0x41                # does the BIOS read by LBA?
        mov     bx, 0x55aa
        mov     dl, [drive]
        int     0x13
        jc      oldread
        cmp     bx, signature
        jne     oldread
        test    cl, 1
        jz      oldread
        push    dword ptr 0             # the address packet: LBA, 64 bits
        push    dword ptr [si + firstlba]
        push    dword ptr loaded        # where to, segment and offset
        push    1                       # sectors
        push    16                      # size of the packet
        mov     si, sp
        mov     ah, 0x42
        mov     dl, [drive]
        int     0x13
        mov     si, bp
        mov     sp, drive
        jnc     check
        jmp     again

oldread:                                # by cylinder, head and sector, as the BIOS counts them today
        push    es
        push    di
        mov     ah, 0x08
        mov     dl, [drive]
        int     0x13
        pop     di
        pop     es
        jc      again
        and     cx, 0x3f                # sectors of a track
        jz      again
        movzx   ecx, cx
        movzx   ebx, dh                 # the last head
        inc     bx
        mov     eax, [si + firstlba]
        xor     edx, edx
        div     ecx
        inc     dx
        mov     cl, dl                  # sectors count from 1
        xor     edx, edx
        div     ebx
        cmp     eax, 1023
        ja      again
        mov     dh, dl                  # head
        mov     ch, al                  # cylinder: its two highest bits go with the sector
        shl     ah, 6
        or      cl, ah
        mov     bx, loaded
        mov     ax, 0x0201
        mov     dl, [drive]
        int     0x13
        jnc     check

again:
        xor     ax, ax                  # reset the drive
        mov     dl, [drive]
        int     0x13
        dec     di
        jnz     read
        mov     bx, here + (unreadable - _start)
        jmp     fail

check:
        mov     bx, here + (unsigned - _start)
        cmp     word ptr [loaded + 510], signature
        jne     fail
        mov     dl, [drive]
        jmp     0:loaded

# Prints the text at BX and waits for Ctrl-Alt-Del.
fail:
        mov     si, bx
print:
        lodsb
        test    al, al
        jz      halt
        mov     ah, 0x0e
        mov     bx, 7
        int     0x10
        jmp     print
halt:
        hlt
        jmp     halt

none:       .asciz "No partition is active.\r\n"
several:    .asciz "More than one partition is active.\r\n"
unreadable: .asciz "The active partition cannot be read.\r\n"
unsigned:   .asciz "The active partition has no boot sector.\r\n"
